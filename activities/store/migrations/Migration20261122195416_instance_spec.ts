import { Migration } from '@mikro-orm/migrations';

/** Instances that run began with the spec that their service has now: nobody could change it until today. */
export class Migration20261122195416_instance_spec extends Migration {
  override name = 'Migration20261122195416_instance_spec';

  override up(): void {
    this.addSql(`alter table "service_vms" add "spec" jsonb;`);
    this.addSql(`update "service_vms" set "spec" = "services"."spec" from "services" where "services"."id" = "service_vms"."service_id";`);
    this.addSql(`alter table "service_vms" alter column "spec" set not null;`);
  }
}
