import { createMemoryConvergeState } from '../../../../lib/adapters/memory/converge-state.ts';
import { describeConvergeState } from '../../../contract/converge-state.ts';

describeConvergeState('memory', async () => createMemoryConvergeState());
