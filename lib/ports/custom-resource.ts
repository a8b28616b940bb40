/** What a custom resource answers CloudFormation. */
export interface CustomResourceAnswer {
  status: 'SUCCESS' | 'FAILED';
  /** Why it failed; shown in the stack's events. */
  reason?: string;
}

/** Tells CloudFormation, which waits up to an hour for it. */
export interface CustomResourceReply {
  send(request: CustomResourceRequest, answer: CustomResourceAnswer): Promise<void>;
}

/** What an answer has to repeat of its request. */
export interface CustomResourceRequest {
  responseUrl: string;
  stackId: string;
  requestId: string;
  logicalResourceId: string;
}
