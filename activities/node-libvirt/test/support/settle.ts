/** What became of each promise: `'ok'`, or the error it was rejected with. */
export function settle(promises: readonly Promise<unknown>[]): Promise<unknown[]> {
  return Promise.all(
    promises.map((promise) =>
      promise.then(
        () => 'ok',
        (error: unknown) => error,
      ),
    ),
  );
}
