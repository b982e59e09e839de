/** What the manager is told when it starts. The one place that reads the environment. */
export interface ManagerConfig {
  /** Base URL of the cloudlet's API, without a slash at its end. */
  readonly apiUrl: string;
  /** Where this server listens, always on loopback. */
  readonly port: number;
  readonly development: boolean;
}

export const managerConfig: ManagerConfig = {
  apiUrl: (process.env['CLOUDLET_API_URL'] ?? 'http://127.0.0.1:9999').replace(/\/+$/, ''),
  port: Number(process.env['PORT'] ?? 9998),
  development: process.env.NODE_ENV === 'development',
};
