import { defineConfig } from '@kubb/core';
import { pluginClient } from '@kubb/plugin-client';
import { pluginOas } from '@kubb/plugin-oas';
import { pluginTs } from '@kubb/plugin-ts';

export default defineConfig({
  root: '.',
  input: { path: '../../../openapi.yaml' },
  output: { path: './made/kubb', clean: true },
  plugins: [pluginOas({ validate: false }), pluginTs({ enumType: 'literal' }), pluginClient({ client: 'fetch', dataReturnType: 'data' })],
});
