/** Ends what the global set-up began, also when tests failed. */
export default async function globalTeardown(): Promise<void> {
  await globalThis.emulatorOfTheIntegrationTests?.process.stop();
}
