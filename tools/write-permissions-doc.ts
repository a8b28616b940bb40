// `npm run docs:permissions`: packages the service and writes docs/permissions.md from its template.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { permissionRows } from '../tests/infrastructure/permission-rows.ts';
import setUp from '../tests/infrastructure/set-up.ts';
import { PERMISSIONS_DOC, permissionsDoc } from './permissions-doc.ts';

await setUp();
writeFileSync(path.join(import.meta.dirname, '..', PERMISSIONS_DOC), permissionsDoc(await permissionRows()));
