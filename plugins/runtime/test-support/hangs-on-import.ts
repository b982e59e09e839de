/** A module whose import never ends. */
export const plugin = await new Promise<never>(() => undefined);
