/** What one run did: messages, wall time and this process's CPU time. */
export interface Measurement {
  messages: number;
  perSecond: number;
  cpuMicrosPerMessage: number;
}

/** Runs `work`, which answers how many messages it carried. */
export async function measure(work: () => Promise<number>): Promise<Measurement> {
  const cpu = process.cpuUsage();
  const began = performance.now();
  const messages = await work();
  const seconds = (performance.now() - began) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  return { messages, perSecond: messages / seconds, cpuMicrosPerMessage: (user + system) / messages };
}

/** The one in the middle by rate; of an even number, the lower of the two. */
export function median(measurements: readonly Measurement[]): Measurement {
  const sorted = measurements.toSorted((a, b) => a.perSecond - b.perSecond);
  const middle = sorted[Math.floor((sorted.length - 1) / 2)];
  if (middle === undefined) throw new Error('nothing was measured');
  return middle;
}

export function describeMeasurement(name: string, { perSecond, cpuMicrosPerMessage }: Measurement): string {
  const rate = Math.round(perSecond).toLocaleString('en');
  return `${name.padEnd(44)}${rate.padStart(9)} msg/s ${cpuMicrosPerMessage.toFixed(1).padStart(8)} µs CPU per message`;
}
