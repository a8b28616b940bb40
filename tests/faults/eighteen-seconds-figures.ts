/** The outage in which others were seen to lose messages that their source had told the publisher were safe. */
export const OUTAGE_MS = 18_000;
export const OUTAGE_MESSAGES = 2_246;
export const OUTAGE_PER_SECOND = 100;
/** By this name `npm run faults` knows it; on the rule path it is this fault. */
export const EIGHTEEN_SECONDS = 'eighteen-seconds';
export const OUTAGE_FAULT = 'rocketmq-killed';

/** Who carried the messages, and how many came. */
export interface OutageResult {
  who: string;
  isPeer: boolean;
  sent: number;
  arrived: number;
  lost: number;
  duplicates: number;
}

/** What peers lose is told; what we lose is a promise missed. */
export const isOurLoss = ({ isPeer, lost }: OutageResult): boolean => !isPeer && lost > 0;

/** The row of the rule path, which goes through that outage on the deployed service. */
export function outageOfRulePath(
  rows: readonly { fault: string; pair: string; sent: number; delivered: number; duplicates: number }[],
): OutageResult[] {
  return rows
    .filter(({ fault, pair }) => fault === OUTAGE_FAULT && pair === 'aws-iot → rocketmq')
    .map(({ sent, delivered, duplicates }) => ({
      who: 'mqferry, rule path',
      isPeer: false,
      ...{ sent, arrived: delivered, lost: sent - delivered, duplicates },
    }));
}
