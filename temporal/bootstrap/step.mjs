import { spawn } from 'node:child_process';

/** A reason to stop that needs no stack trace: its message says what to do. */
export class Refusal extends Error {}

const tailLines = 20;

/**
 * Does something that takes its time, and says so on standard error: standard output is the program's.
 *
 * @template Result
 * @param {string} title
 * @param {() => Promise<Result>} work
 * @returns {Promise<Result>}
 */
export async function step(title, work) {
  const begun = Date.now();
  process.stderr.write(`  … ${title}\n`);
  const result = await work();
  process.stderr.write(`  ✓ ${title.padEnd(46)} ${((Date.now() - begun) / 1000).toFixed(1).padStart(6)} s\n`);
  return result;
}

/**
 * Runs a program quietly.
 *
 * @param {string[]} argv
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv }} options
 * @returns {Promise<{ status: number, output: string }>} `output` is what it said on both its outputs
 */
export function run(argv, options = {}) {
  const [file, ...rest] = argv;
  return new Promise((resolve) => {
    const child = spawn(file, rest, { ...options, stdio: ['inherit', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
    child.once('error', (error) => resolve({ status: 127, output: `${output}${error.message}` }));
    child.once('close', (code) => resolve({ status: code ?? 1, output }));
  });
}

/**
 * @param {string} what what did not work
 * @param {string} output of the program that failed
 */
export const failure = (what, output) =>
  new Refusal(
    `${what}\n${output
      .trimEnd()
      .split('\n')
      .slice(-tailLines)
      .map((line) => `    ${line}`)
      .join('\n')}`,
  );
