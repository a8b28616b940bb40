import { createMemoryOverflowGroups } from '../../../../lib/adapters/memory/overflow-groups.ts';
import { describeOverflowGroups } from '../../../contract/overflow-groups.ts';

describeOverflowGroups('memory', async () => createMemoryOverflowGroups());
