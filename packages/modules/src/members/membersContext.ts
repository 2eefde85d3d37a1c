import type { membersAbi } from '../abi/membersAbi.ts';
import type { ModuleContext, ViewContext } from '../defineModule.ts';
import { hasRole, memberOfOwnAccount } from './membership.ts';
import type { membersStorage } from './membersStorage.ts';

/** What the handlers of this module work with. */
export type Context = ModuleContext<typeof membersAbi, typeof membersStorage>;
export type Reading = ViewContext<typeof membersAbi, typeof membersStorage>;

/** The member that calls; reverts for everybody else. */
export function callingMember(context: Context): number {
  const member = memberOfOwnAccount(context.storage, context.caller);
  if (member === 0) throw context.error('NotMember', { caller: context.caller });
  return member;
}

export function requireAuthority(context: Context): void {
  if (!hasRole(context.storage, context.caller, 'authority')) {
    throw context.error('NotAuthority', { caller: context.caller });
  }
}
