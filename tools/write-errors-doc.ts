// `npm run docs:errors`: brings the generated tables of docs/errors.md up to date.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ERRORS_DOC, withErrorTables } from './errors-doc.ts';

const file = path.join(import.meta.dirname, '..', ERRORS_DOC);
writeFileSync(file, withErrorTables(readFileSync(file, 'utf8')));
