import { createMemoryDeadLetterStore } from '../../../../lib/adapters/memory/dead-letter-store.ts';
import { describeDeadLetterStore } from '../../../contract/dead-letter-store.ts';

describeDeadLetterStore('memory', async () => createMemoryDeadLetterStore());
