/** Where canaries enter the rule path: by Basic Ingest, which no subscriber sees. */
export interface CanaryEntrance {
  /**
   * Resolves when AWS IoT has taken it, for this one rule. Throws a `BridgeError` that says why not.
   *
   * @param canary.topicName - what the rule sees as the topic name
   */
  enter(canary: {
    region: string;
    ruleName: string;
    topicName: string;
    payload: Buffer;
    deadlineMs: number;
  }): Promise<void>;
}
