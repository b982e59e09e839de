/** Where somebody goes who has no session, or whose session is over. */
export const signInPath = '/sign-in';
export const sessionEndedPath = `${signInPath}?session=ended`;
