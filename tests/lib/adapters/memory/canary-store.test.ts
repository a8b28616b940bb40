import { createMemoryCanaryStore } from '../../../../lib/adapters/memory/canary-store.ts';
import { describeCanaryStore } from '../../../contract/canary-store.ts';

describeCanaryStore('memory', async () => createMemoryCanaryStore());
