/** Garbage collections between the first requests do not make those that follow slower. */
import { expect, it } from 'vitest';
import { runProgram } from '../support/programs.js';

it('lets V8 settle what contexts look like before the first request', async () => {
  const { stdout } = await runProgram(`
    import { setFlagsFromString } from 'node:v8';
    import { runInNewContext } from 'node:vm';
    import { Hono } from 'hono';
    import { makeApp } from './http/app.js';
    setFlagsFromString('--expose-gc');
    setFlagsFromString('--allow-natives-syntax');
    const isFast = new Function('object', 'return %HasFastProperties(object)');
    makeApp([], {});
    let context;
    const app = new Hono().all('*', (c) => { context = c; return {}; });
    const ask = () => app.fetch({ method: 'GET', url: 'http://localhost/' });
    for (let i = 0; i < 6; i++) ask();
    context = undefined;
    await new Promise((resolve) => setTimeout(resolve, 10));
    runInNewContext('gc')();
    ask();
    console.log(isFast(context));`);
  expect(stdout).toBe('true\n');
});
