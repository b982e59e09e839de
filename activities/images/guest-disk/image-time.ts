/** The time that every file of an image bears, so that equal inputs give equal bytes: 2025-01-01T00:00:00Z. */
export const imageTimeSeconds = 1_735_689_600;
