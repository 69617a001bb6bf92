// One resolver for every field: hands the call to the resolver Lambda and maps its errors.
import { util } from '@aws-appsync/utils';

export function request(ctx) {
  const identity = ctx.identity ?? {};
  return {
    operation: 'Invoke',
    payload: {
      field: ctx.info.fieldName,
      arguments: ctx.args,
      identity: {
        sub: identity.sub ?? null,
        username: identity.username ?? null,
        // ID tokens have the claim, access tokens do not.
        email: identity.claims?.email ?? null,
        groups: identity.groups ?? [],
      },
    },
  };
}

export function response(ctx) {
  if (ctx.error || !ctx.result) {
    util.error('The service could not answer. Try again; if it keeps failing, see the resolver log.', 'InternalError');
  }
  if (ctx.result.error) {
    util.error(ctx.result.error.message, ctx.result.error.type);
  }
  return ctx.result.data;
}
