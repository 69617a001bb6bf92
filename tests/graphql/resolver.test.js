// graphql/resolver.js on the vectors that the local runtime's mapping answers too.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { register } from 'node:module';
import { test } from 'node:test';

const stub = new URL('./appsync_utils_stub.js', import.meta.url).href;
const hook = `export const resolve = (name, context, next) =>
  name === '@aws-appsync/utils' ? { url: ${JSON.stringify(stub)}, shortCircuit: true } : next(name, context);`;
register(`data:text/javascript,${encodeURIComponent(hook)}`);

const resolver = await import('../../graphql/resolver.js');
const vectors = JSON.parse(readFileSync(new URL('./resolver_vectors.json', import.meta.url), 'utf8'));

function answer(ctx) {
  try {
    return { data: resolver.response(ctx) };
  } catch (error) {
    return { error: { type: error.errorType, message: error.message } };
  }
}

// JSON has no undefined: what is undefined in JavaScript would be missing in the Lambda's event.
const overTheWire = (value) => JSON.parse(JSON.stringify(value));

for (const { name, ctx, expected } of vectors.request) {
  test(`request: ${name}`, () => {
    const request = overTheWire(resolver.request(ctx));
    assert.equal(request.operation, 'Invoke');
    assert.deepEqual(request.payload, expected.payload ?? expected);
  });
}

for (const { name, ctx, expected } of vectors.response) {
  test(`response: ${name}`, () => {
    assert.deepEqual(overTheWire(answer(ctx)), expected);
  });
}

test('headers and tokens never reach the function', () => {
  const request = resolver.request({
    info: { fieldName: 'listAvailableModels' },
    args: {},
    request: { headers: { authorization: 'eyJraWQ' } },
    identity: { sub: 's', username: 'u', groups: ['Admin'], claims: { token_use: 'id' }, sourceIp: ['192.0.2.1'] },
  });
  assert.deepEqual(Object.keys(request.payload).sort(), ['arguments', 'field', 'identity']);
  assert.deepEqual(Object.keys(request.payload.identity).sort(), ['email', 'groups', 'sub', 'username']);
});
