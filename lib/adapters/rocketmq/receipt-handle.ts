/**
 * A receipt as Apache RocketMQ writes it: start offset of the check point, time, invisible time, revive queue, kind of topic,
 * broker, queue, offset, and more.
 */
const APACHE_RECEIPT = /^\d+ (\d+ \d+ \d+ \S+ \S+ \d+ (\d+)(?: \d+)*)$/;

/**
 * The receipt after a change of the invisible time, as it must be given back. The broker then keeps a check point of the
 * message alone, which begins at its own offset; but a proxy in LOCAL mode (5.4.0) answers with the offset at which the
 * former one began. Acknowledged with that, a message is redelivered in spite of the OK. Other receipts stay as they are.
 */
export function changedReceiptHandle(receiptHandle: string): string {
  return receiptHandle.replace(APACHE_RECEIPT, '$2 $1');
}
