/** What a broker and its clients may have unacknowledged between them, on both sides, for every contender. */
export const RECEIVE_MAXIMUM = 1_000;
