/** Goes on in a new invocation of the same function, asynchronously. */
export interface Continuation {
  continueWith(event: Readonly<Record<string, unknown>>): Promise<void>;
}
