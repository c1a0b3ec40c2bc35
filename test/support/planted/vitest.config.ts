import { defineConfig, mergeConfig } from 'vitest/config';
import project from '../../../vitest.config.js';

/** The project's own settings for the planted tests, which must fail and therefore have another name. */
export default mergeConfig(
  { ...project, test: { ...project.test, include: [] } },
  defineConfig({ test: { include: ['test/support/planted/*.planted.ts'] } }),
);
