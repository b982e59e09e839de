/**
 * A JPEG as a phone stores it: "TURNED 7" lying on its side, with the EXIF orientation that sets it upright. Made from
 * `textPicture(['TURNED 7'])` at two thirds of its size, since nothing here writes JPEG.
 */
export const turnedJpeg: Uint8Array = Buffer.from(
  '/9j/4AAQSkZJRgABAQAAAQABAAD/4QAiRXhpZgAATU0AKgAAAAgAAQESAAMAAAABAAYAAAAAAAD/2wBDABcQERQRDhcUEhQaGBcbIjklIh8fIkYyNSk5UkhXVVFIUE5bZo' +
    'NvW2F8Yk5QcptzfIeLkpSSWG2grJ+OqoOPko3/wAALCADvAF8BAREA/8QAGgABAAMBAQEAAAAAAAAAAAAAAAQFBgMCAf/EADwQAAICAgEBAwcICAcAAAAAAAABAgMEBREh' +
    'BhIxExVBUWGR0RYiUlRVcoGxNnGSoaKjsvAUIyQzU2Lh/9oACAEBAAA/ANYAAAAAAAAAAAAAAAAAAAAAAAAAY95e5t3mfHAuc1TN/wCVNrhrnjhJk2jtS6LFTtcOzHs+lF' +
    'Pj3Pr+Zd4udi5sO9jXwtX/AFfVfgSAAAADNaP9KNr95/1Ghvx6cmt131Qsg/RJclHl9lMaU/K4F1mLauq4fK+KJmmo2mO7a9jfC6tceTkny3/ftLQAAAETG1uPi5l+VVGS' +
    'tvfM+X0/AlgAAAAAAAAAAAAAAAAAiW7XApfFmZRF+rvo6UZuLkvijIqsfqjNNncAAAAzW4yMrZblajDu8lWo83SXv+HT2kqjsprKopWVztlx1cptc+44ZnZTHUfK66yzHv' +
    'h1j85tfFEns1src/CnDJfORRLuy6cNr0P8/cXIAAAMnrczGw+02znlWwrTk1Fy+8Xnn3V/XavePPur+u1e8p+zc4Wb/aTqadcpNxa8Gu8zUAAAAq7dTp83LulOmuy9PmxR' +
    'm+U/akz58m9R9TX7cviffk3qPqa/bl8Ttr8PXYdt0MGNcbFwrFGfea9XPL6E4AAAGa0f6UbX7z/qO/a3KvxcCmWPbOpu1JuL4b6MvINuuLfi0ZzQ/pLtvvv+pmlAAABj8L' +
    'ZY2t7SbOeVNxjObS4i317x57S7nC2OHVXi2SlKNneacWunDLeHanVKEU7p8pf8bIXZq6GRvdndU+YWPvRfHHRyNQAAADNbHcaenPuryNf5W2EuJTdUXy/xI3nzQ/ZX8qA8' +
    '+aH7K/lQLbRbDX5kro4GL/h3Hhy+Yo8+4uAAAAeZVwk+ZQi362is2u2wNXHicYWXPwqilz+PqKmnV5++tjkbH/TYvjCqC4bX9+lmlxMSjCoVONXGuC9C9P6/WdgAAAZXf9' +
    'pbqb7MPCi65QfdnbJdfw+JW6vYarCn5fJqyMnKb5c5JNJ+zl/vZdfLLC+r5HuXxLDU7ujbSsjTXbB1pN99L0lkAAACs2u3wdZJRyYudslyoxjy+CJg9o9dmXQplTKmyb7q' +
    'U4Lhv0dS0zL8PBpduS664+jlLl/qXpIun21eznd5DFnVVDjibXSX/paAAAAzGurjm9rs63ISm6OYwTXRdeEdO2NEI4NOTFKNsLUlJLr1T+B5wez9mdOObub3fOaUlWn0S9' +
    'vwRo664VVqFcIwhFcKMVwkegAAAY6OVk6nf7C5YN1ytm0uE0uOeefA57rbZW1wlj+bbquJqXe4b8E/Z7SbT2lyqqYV+ab33YqPPXrwv1FrqNrbspWq3Csx+5xw5eD/AHIs' +
    'wAAAUWbst1TmWV42sjZVF8Rn1feXr8SP527QfZMfc/ifH2i2WI+9sNXKNf0ocrj80XuvzqdjiRyMdvuy6NPxi/UySAAAAD5KKlFxkk0+jT9Jmuy6VW22lFX+zGfzV6F1aN' +
    'MAAACizdlu6syyvG1sbKYviMny+V6/E4edu0P2TD3P4nmeR2lzk64Y1eJFrhzfT82/3FppNTHVYjg2p3TfNk16X6l7CyAAABT6zZ35W7z8WxQ8nS+IcLr0fBcAAAAAGKq8' +
    '5fKLZea1Bz78u/3uPDve0sOe1X0aP4Bz2q+jR/AWWne25t86KpR6dzu8c+3wLMAAAFNrNZkYu7z8q3u+SufMOH1fL5LkAAAAAAAAAAAAAAAAAAAAAH//2Q==',
  'base64',
);
