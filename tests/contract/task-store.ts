import { describe } from '@jest/globals';
import type { BuildStores } from './stores.ts';
import { describeConverge } from './task-store/converge.ts';
import { describeCreate } from './task-store/create.ts';
import { describeDesired } from './task-store/desired.ts';
import { describeEdit } from './task-store/edit.ts';
import { useTaskStoreKit } from './task-store/kit.ts';
import { describeList } from './task-store/list.ts';

/** What every store of tasks promises. */
export function describeTaskStore(name: string, build: BuildStores): void {
  describe(`TaskStore, ${name}`, () => {
    const kit = useTaskStoreKit(build);
    describeCreate(kit);
    describeList(kit);
    describeEdit(kit);
    describeDesired(kit);
    describeConverge(kit);
  });
}
