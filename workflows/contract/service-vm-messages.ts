/** Names of the messages that a `serviceVm` execution takes. */
export const serviceVmMessages = {
  awaitReady: 'awaitReady',
  stop: 'stop',
  claimed: 'claimed',
  retire: 'retire',
  leasesChanged: 'leasesChanged',
  guestStopped: 'guestStopped',
  saveEdit: 'saveEdit',
  progress: 'progress',
} as const;
