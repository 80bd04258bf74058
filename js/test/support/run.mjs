// Runs tasks of child.mjs in processes and workers.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';

const child = fileURLToPath(new URL('child.mjs', import.meta.url));

/** A process; `result` settles when it ends. */
export function startProcess(task, parameters) {
  const p = spawn(process.execPath, [child, task, JSON.stringify(parameters)], { stdio: ['ignore', 'pipe', 'inherit'] });
  let out = '';
  p.stdout.on('data', (d) => (out += d));
  const first = new Promise((resolve) => p.stdout.once('data', resolve));
  const result = new Promise((resolve, reject) => {
    p.on('error', reject);
    p.on('close', (code, signal) => {
      if (code === 0) resolve(JSON.parse(out.trim().split('\n').at(-1)));
      else reject(new Error(`${task} ended with ${code ?? signal}`));
    });
  });
  return { process: p, first, result };
}

export function startWorker(task, parameters) {
  const worker = new Worker(child, { workerData: { task, parameters } });
  let value;
  const first = new Promise((resolve) => worker.once('message', resolve));
  const result = new Promise((resolve, reject) => {
    worker.on('message', (v) => (value = v));
    worker.on('error', reject);
    worker.on('exit', (code) => (code === 0 ? resolve(value) : reject(new Error(`${task} ended with ${code}`))));
  });
  return { worker, first, result };
}

export const all = (started) => Promise.all(started.map((s) => s.result));
