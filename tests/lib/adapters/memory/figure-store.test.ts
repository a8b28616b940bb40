import { createMemoryFigureStore } from '../../../../lib/adapters/memory/figure-store.ts';
import { describeFigureStore } from '../../../contract/figure-store.ts';

describeFigureStore('memory', async () => createMemoryFigureStore());
