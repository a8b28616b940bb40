import { describeTaskStore } from '../../../contract/task-store.ts';
import { buildMemoryStores } from '../../../helpers/memory-stores.ts';

describeTaskStore('memory', buildMemoryStores);
