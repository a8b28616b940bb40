import { describeClusterStore } from '../../../contract/cluster-store.ts';
import { buildMemoryStores } from '../../../helpers/memory-stores.ts';

describeClusterStore('memory', buildMemoryStores);
