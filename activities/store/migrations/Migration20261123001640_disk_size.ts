import { Migration } from '@mikro-orm/migrations';

export class Migration20261123001640_disk_size extends Migration {

  override name = 'Migration20261123001640_disk_size';

  override up(): void | Promise<void> {
    this.addSql(`alter table "hosts" add "disk_bytes" bigint not null default '0';`);
  }

}
