import { defineEntity, p } from '@mikro-orm/core';

/** What a process other than the API says of its plugins, so that `GET /v1/plugins` shows the whole node. */
const PluginReportSchema = defineEntity({
  name: 'PluginReport',
  tableName: 'plugin_reports',
  properties: {
    process: p.text().primary(),
    report: p.json<readonly Record<string, unknown>[]>(),
    updatedAt: p
      .datetime()
      .onCreate(() => new Date())
      .onUpdate(() => new Date()),
  },
});

export class PluginReport extends PluginReportSchema.class {}
PluginReportSchema.setClass(PluginReport);
