import { createMemoryPresenceStates } from '../../../../lib/adapters/memory/presence-states.ts';
import { describePresenceStates } from '../../../contract/presence-states.ts';

describePresenceStates('memory', async () => createMemoryPresenceStates());
