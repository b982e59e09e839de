import { Migration } from '@mikro-orm/migrations';

/** A service that is removed can be brought back for a while; one that nobody built yet can be there all the same. */
export class Migration20261122200513_service_trash extends Migration {
  override name = 'Migration20261122200513_service_trash';

  override up(): void {
    this.addSql(`alter table "operations" drop constraint "operations_kind_check";`);
    this.addSql(`alter table "operations" add constraint "operations_kind_check" check ("kind" in ('service-vm.start', 'service-vm.stop', 'service.build', 'service.refresh', 'service.remove', 'image.verify'));`);

    this.addSql(`alter table "services" add "written_by" uuid null, add "trashed_by" uuid null, add "trashed_until_ms" bigint null;`);
  }
}
