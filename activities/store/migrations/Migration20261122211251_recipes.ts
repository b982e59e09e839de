import { Migration } from '@mikro-orm/migrations';

export class Migration20261122211251_recipes extends Migration {

  override name = 'Migration20261122211251_recipes';

  override up(): void | Promise<void> {
    this.addSql(`alter table "service_vms" drop constraint "service_vms_purpose_check";`);
    this.addSql(`alter table "service_vms" add constraint "service_vms_purpose_check" check ("purpose" in ('serve', 'build', 'edit', 'recipe', 'warm'));`);
  }

  override down(): void | Promise<void> {
    this.addSql(`alter table "service_vms" drop constraint "service_vms_purpose_check";`);
    this.addSql(`alter table "service_vms" add constraint "service_vms_purpose_check" check ("purpose" in ('serve', 'build', 'edit', 'warm'));`);
  }

}
