import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { PluginReport as PluginReportRow } from '../../activities/store/entities/plugin-report.ts';
import { MergedPluginReport, mergeReports, type PluginReport } from '../../plugins/runtime/plugin-report.ts';
import { authorize } from '../auth/authorize.ts';
import type { ApiContext } from '../context.ts';

export const plugins: FastifyPluginAsyncTypebox<{ context: ApiContext }> = async (app, { context }) => {
  app.get(
    '/plugins',
    {
      schema: {
        tags: ['admin'],
        summary: 'Plugins of this cloudlet and how they are',
        security: [{ bearer: [] }],
        response: { 200: Type.Object({ plugins: Type.Array(MergedPluginReport) }) },
      },
    },
    async (request) => {
      await authorize(context, request.caller.principal, 'plugin.read');
      const rows = await context.store.fork().find(PluginReportRow, {});
      const others = rows.map(({ report }) => report as unknown as PluginReport[]);
      return { plugins: mergeReports([await context.plugins.report(), ...others]) };
    },
  );
};
