import { defineEntity, p } from '@mikro-orm/core';

/** Somebody who signed in to the manager. */
const SessionSchema = defineEntity({
  name: 'Session',
  tableName: 'sessions',
  properties: {
    id: p.uuid().primary(),
    tokenHash: p.character().length(64).unique(),
    principal: p.text(),
    /** Steady time, ms. */
    expiresAtMs: p.bigint('number'),
    createdAt: p.datetime().onCreate(() => new Date()),
  },
});

export class Session extends SessionSchema.class {}
SessionSchema.setClass(Session);

/** A one-time code that becomes a session: the link that a start prints. */
const SignInCodeSchema = defineEntity({
  name: 'SignInCode',
  tableName: 'sign_in_codes',
  properties: {
    id: p.uuid().primary(),
    codeHash: p.character().length(64).unique(),
    /** Steady time, ms. */
    expiresAtMs: p.bigint('number'),
  },
});

export class SignInCode extends SignInCodeSchema.class {}
SignInCodeSchema.setClass(SignInCode);
