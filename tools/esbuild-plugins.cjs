'use strict';
// What cannot be bundled as it is, or need not be: each with the place in the package that makes it so.
const { readFileSync } = require('node:fs');
const path = require('node:path');
const { version } = require('rocketmq-client-nodejs/package.json');

const CRC32 = "exports.crc32 = require('node:zlib').crc32;";

module.exports = [
  {
    // A native CRC-32, which node:zlib has, and its own package.json, which it reads from disk at start.
    name: 'rocketmq-client-nodejs',
    setup(build) {
      build.onResolve({ filter: /^@node-rs\/crc32$/ }, () => ({ path: 'crc32', namespace: 'node-zlib' }));
      build.onLoad({ filter: /.*/, namespace: 'node-zlib' }, () => ({ contents: CRC32, loader: 'js' }));
      build.onLoad({ filter: /rocketmq-client-nodejs[\\/]dist[\\/]client[\\/]UserAgent\.js$/ }, (file) => ({
        contents: withoutPackageJson(readFileSync(file.path, 'utf8')),
        loader: 'js',
      }));
    },
  },
  {
    // zod carries its messages in 50 languages, a third of a small function's bundle. Ours are in English.
    name: 'zod-locales',
    setup(build) {
      build.onLoad({ filter: /zod[\\/]v4[\\/]locales[\\/]index\.js$/ }, (file) => ({
        contents: "export { default as en } from './en.js';",
        resolveDir: path.dirname(file.path),
        loader: 'js',
      }));
    },
  },
];

function withoutPackageJson(source) {
  const changed = source.replace(
    /JSON\.parse\(\(0, node_fs_1\.readFileSync\)[^;]*;/,
    `${JSON.stringify(version)};`,
  );
  if (changed === source) throw new Error('rocketmq-client-nodejs reads its package.json in another way now');
  return changed;
}
