import { CloudletError } from '../../workflows/contract/errors.ts';
import type { Decision, Principal, SecurityAction, SecurityResource } from '../../workflows/contract/principal.ts';
import { securityDecide } from '../../plugins/runtime/extension-points.ts';
import type { ApiContext } from '../context.ts';

/**
 * Asks the security plugins, all of them: the first refusal is the answer, one that throws refuses, and where there is
 * none nothing is allowed.
 * @throws CloudletError `forbidden`, or `unauthenticated` where signing in might help
 */
export async function authorize(
  context: ApiContext,
  principal: Principal,
  action: SecurityAction,
  resource: SecurityResource = {},
): Promise<void> {
  const decision = await decide(context, principal, action, resource);
  if (decision.allow) return;
  throw new CloudletError(principal.kind === 'token' ? 'forbidden' : 'unauthenticated', decision.reason);
}

async function decide(context: ApiContext, principal: Principal, action: SecurityAction, resource: SecurityResource): Promise<Decision> {
  const deciders = context.plugins.contributions(securityDecide);
  if (deciders.length === 0)
    return { allow: false, reason: 'No security plugin is loaded, so nothing is allowed. Configure one, e.g. security-open.' };
  for (const { pluginId, contribution } of deciders) {
    try {
      const decision = await contribution.decide(principal, action, resource);
      if (!decision.allow) return decision;
    } catch (error) {
      context.log.error({ plugin: pluginId, error }, 'A security plugin failed to decide');
      return { allow: false, reason: `The security plugin ${pluginId} failed, so the answer is no.` };
    }
  }
  return { allow: true };
}
