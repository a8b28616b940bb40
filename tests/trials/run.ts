/**
 * `npm run trials [name…]`: shifts on real parts, through kills, hand-overs, outages and bad input, with what is promised
 * beside what is seen. Without names: all of them, about half an hour. Fails when a promise is missed.
 */
import path from 'node:path';
import { LOCAL_DIR } from '../../local/layout.ts';
import { startAws } from '../../local/parts/aws.ts';
import { describeRows, type Row } from './rows.ts';
import { TRIALS } from './trials.ts';

const say = (text: string) => process.stdout.write(`${text}\n`);
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in TRIALS));
if (unknown.length > 0) {
  say(`No such trial: ${unknown.join(', ')}. There are ${Object.keys(TRIALS).join(', ')}.`);
  process.exit(2);
}
const aws = await startAws({ home: path.join(LOCAL_DIR, 'test', 'trials-aws') });
process.env.AWS_ENDPOINT_URL = aws.endpoint;
const rows: Row[] = [];
try {
  for (const [name, trial] of Object.entries(TRIALS)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    const beganMs = Date.now();
    const seen = await trial();
    rows.push(...seen);
    say(`\n${describeRows(seen)}\n(${name}: ${Math.round((Date.now() - beganMs) / 1_000)} s)`);
  }
} finally {
  await aws.process.stop();
}
const missed = rows.filter(({ isGood }) => !isGood);
say(`\n${rows.length} lines, ${missed.length} missed`);
process.exit(missed.length === 0 ? 0 : 1);
