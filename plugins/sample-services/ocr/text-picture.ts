import { greyPng } from './grey-png.ts';
import { glyphHeight, glyphStrokes, glyphWidth } from './stroke-font.ts';

/** Pixels per unit of the font. */
const scale = 6;
const strokePixels = 5;
const marginPixels = 40;
const glyphPitch = glyphWidth + 1.8;
const linePitch = glyphHeight + 4.5;
const paper = 255;

/**
 * Draws lines of text black on white, large and clear enough to be read by a machine.
 * @param lines capital letters, digits, space, comma, dot, dash
 * @returns a PNG picture
 * @throws RangeError for a character that the font lacks
 */
export function textPicture(lines: readonly string[]): Uint8Array {
  const columns = Math.max(1, ...lines.map((line) => line.length));
  const width = Math.ceil(2 * marginPixels + columns * glyphPitch * scale);
  const height = Math.ceil(2 * marginPixels + lines.length * linePitch * scale);
  const pixels = new Uint8Array(width * height).fill(paper);
  for (const [row, line] of lines.entries()) {
    for (const [column, character] of line.split('').entries()) {
      const left = marginPixels + column * glyphPitch * scale;
      const top = marginPixels + row * linePitch * scale;
      for (const stroke of glyphStrokes(character)) {
        for (const [index, [endX, endY]] of stroke.entries()) {
          const [startX, startY] = stroke[Math.max(0, index - 1)] ?? [endX, endY];
          drawSegment(pixels, width, [left + startX * scale, top + startY * scale], [left + endX * scale, top + endY * scale]);
        }
      }
    }
  }
  return greyPng(pixels, width);
}

type Point = readonly [x: number, y: number];

/** A round-ended stroke with soft edges: a pixel is as dark as it lies within the stroke. */
function drawSegment(pixels: Uint8Array, width: number, [startX, startY]: Point, [endX, endY]: Point): void {
  const reach = strokePixels / 2 + 1;
  const lengthSquared = (endX - startX) ** 2 + (endY - startY) ** 2;
  for (let y = Math.floor(Math.min(startY, endY) - reach); y <= Math.max(startY, endY) + reach; y += 1) {
    for (let x = Math.floor(Math.min(startX, endX) - reach); x <= Math.max(startX, endX) + reach; x += 1) {
      const along = lengthSquared === 0 ? 0 : ((x - startX) * (endX - startX) + (y - startY) * (endY - startY)) / lengthSquared;
      const nearest = Math.min(1, Math.max(0, along));
      const distance = Math.hypot(x - startX - nearest * (endX - startX), y - startY - nearest * (endY - startY));
      const cover = Math.min(1, Math.max(0, strokePixels / 2 + 0.5 - distance));
      const index = y * width + x;
      pixels[index] = Math.min(pixels[index] ?? paper, Math.round(paper * (1 - cover)));
    }
  }
}
