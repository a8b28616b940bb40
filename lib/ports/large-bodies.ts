/** Texts too large for a table's item (S3). */
export interface LargeBodies {
  /** Overwrites. Throws when it is not certain that the text is stored. */
  put(key: string, body: string): Promise<void>;
  /** Undefined when there is none (expired). */
  get(key: string): Promise<string | undefined>;
  /** Its time until it expires begins anew. Nothing happens when there is none. */
  renew(key: string): Promise<void>;
  /** Resolves when it is gone, or was before. */
  remove(key: string): Promise<void>;
}
