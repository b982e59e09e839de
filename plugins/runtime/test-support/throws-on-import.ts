/** A module that cannot be imported. */
export const plugin: never = (() => {
  throw new Error('no such device');
})();
