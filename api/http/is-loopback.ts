/** Whether a request comes from this host itself: from the manager, or from a person at its keyboard. */
export const isLoopback = (address: string): boolean => address === '127.0.0.1' || address === '::1' || address === '::ffff:127.0.0.1';
