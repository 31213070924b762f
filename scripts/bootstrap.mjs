// Makes `npm start` and `npm test` work on a machine that has Node 18 or later and npm, and nothing else: it brings pnpm, installs from
// the lockfile, and runs everything with a Node that is new enough, which comes as an optional dependency where the machine's is not.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { basename, delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const [task, ...taskArgs] = process.argv.slice(2);

const tasks = {
  /** Everything up on this machine. */
  demo: async (node) => {
    await runQuietly('building', join(root, 'node_modules/.bin/tsc'), ['-b', 'packages/demo', 'packages/api', 'packages/worker'], node);
    return run(node, [join(root, 'packages/demo/dist/main.js'), ...taskArgs], node);
  },
  /** All checks, then all tests. The last line says how many tests passed and failed. */
  verify: async (node) => {
    // The steps of `pnpm check`, run without pnpm, which this machine may not have.
    for (const [, script] of manifest.scripts.check.matchAll(/pnpm (\S+)/g)) {
      await runQuietly(script, 'sh', ['-c', manifest.scripts[script]], node);
    }
    return run(node, [join(root, 'node_modules/vitest/vitest.mjs'), 'run', ...taskArgs], node);
  },
};

/** A terminal's Ctrl-C and npm's forwarding of it arrive as two signals of one wish. */
const sameSignalMs = 1000;
/** The process group at work: signals go there and nowhere else. */
let current = null;
let signalledAt = Number.NEGATIVE_INFINITY;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    const isRepeated = performance.now() - signalledAt < sameSignalMs;
    if (!isRepeated) {
      signalledAt = performance.now();
      current?.pass(signal);
    }
  });
}

if (!Object.hasOwn(tasks, task ?? '')) {
  fail(`Usage: node scripts/bootstrap.mjs ${Object.keys(tasks).join(' | ')}`);
}
try {
  await install();
  process.exitCode = await tasks[task](findNode());
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  if (task === 'verify') {
    process.stdout.write('0 passed, 1 failed\n');
  }
  process.exitCode = 1;
}

/** Installs from the lockfile unless what is installed was installed from it. */
async function install() {
  const stampFile = join(root, 'node_modules/.postrider-install');
  const stamp = hashOfManifests();
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) {
    return;
  }
  const packageManager = manifest.packageManager;
  // npm says where it is; pnpm and yarn say so of themselves under the same name.
  const npm = process.env.npm_execpath ?? '';
  const [command, first] = basename(npm) === 'npm-cli.js' ? [process.execPath, [npm]] : ['npm', []];
  // What another store or another pnpm installed is replaced; pnpm would ask first, and there is nobody to answer.
  const pnpm = ['pnpm', 'install', '--frozen-lockfile', '--config.confirmModulesPurge=false'];
  const args = [...first, 'exec', '--yes', `--package=${packageManager}`, '--', ...pnpm];
  await runQuietly('installing', command, args, process.execPath, installEnv());
  writeFileSync(stampFile, stamp);
}

/** Without what would leave out the tools (NODE_ENV=production) or hide why an installation failed (npm --silent). */
function installEnv() {
  const {
    NODE_ENV: _nodeEnv,
    npm_config_loglevel: _level,
    npm_config_production: _production,
    npm_config_omit: _omit,
    ...env
  } = process.env;
  return env;
}

/** Whatever changes what would be installed: the lockfile, the manifests, the machine. */
function hashOfManifests() {
  const hash = createHash('sha256').update(`${process.platform} ${process.arch}`);
  const packages = readdirSync(join(root, 'packages')).map((name) => `packages/${name}/package.json`);
  for (const file of ['pnpm-lock.yaml', 'pnpm-workspace.yaml', 'package.json', 'bench/package.json', ...packages]) {
    const path = join(root, file);
    hash.update(file).update(existsSync(path) ? readFileSync(path) : '');
  }
  return hash.digest('hex');
}

/** The pinned Node where the registry has one for this machine, else the machine's own where it is new enough. */
function findNode() {
  const pinned = join(root, `node_modules/node-${process.platform}-${process.arch}/bin/node`);
  if (existsSync(pinned)) {
    return pinned;
  }
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 22 || (major === 22 && minor >= 19)) {
    return process.execPath;
  }
  throw new Error(`Node 22.19 or later is needed on ${process.platform}-${process.arch}; this is ${process.versions.node}.`);
}

/** Runs a command whose output matters only when it fails. */
async function runQuietly(name, command, args, node, env = process.env) {
  process.stderr.write(`${name} ... `);
  const startedAt = performance.now();
  let output = '';
  const code = await spawnAndWait(command, args, node, env, {
    stdio: ['ignore', 'pipe', 'pipe'],
    onOutput: (chunk) => {
      output += chunk;
    },
    // Of a tool behind a shell or npm, the whole group ends.
    pass: (child, signal) => process.kill(-child.pid, signal),
  });
  process.stderr.write(`${((performance.now() - startedAt) / 1000).toFixed(1)} s\n`);
  if (code !== 0) {
    throw new Error(`${output}\n${name} failed with ${code}.`);
  }
}

/** Runs the task itself, which ends its own children in order when a signal asks it to. */
function run(command, args, node) {
  return spawnAndWait(command, args, node, process.env, { stdio: 'inherit', pass: (child, signal) => child.kill(signal) });
}

/** Resolves with the exit code, the shell's number for a signal included. A group of its own keeps a terminal's signals from the child. */
function spawnAndWait(command, args, node, env, { stdio, onOutput, pass }) {
  return new Promise((resolve, reject) => {
    const path = [dirname(node), join(root, 'node_modules/.bin'), env.PATH].join(delimiter);
    const child = spawn(command, args, { cwd: root, stdio, detached: true, env: { ...env, PATH: path } });
    child.stdout?.setEncoding('utf8').on('data', onOutput);
    child.stderr?.setEncoding('utf8').on('data', onOutput);
    child.once('error', reject);
    child.once('close', (code, signal) => {
      current = null;
      resolve(code ?? 128 + constants.signals[signal]);
    });
    current = { pass: (signal) => pass(child, signal) };
  });
}

function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(64);
}
