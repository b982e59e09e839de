import { Migration } from '@mikro-orm/migrations';

/** Numbers of events grow in the order of commits, and every commit with events is announced. */
export class Migration20261122000001_event_order extends Migration {
  override name = 'Migration20261122000001_event_order';

  override up(): void {
    this.addSql(`
      create function cloudlet_number_event() returns trigger language plpgsql as $$
      begin
        perform pg_advisory_xact_lock(hashtextextended('cloudlet_events', 2));
        new.seq := nextval(pg_get_serial_sequence('events', 'seq'));
        perform pg_notify('cloudlet_events', new.seq::text);
        return new;
      end $$;`);
    this.addSql(`create trigger cloudlet_number_event before insert on events for each row execute function cloudlet_number_event();`);
  }

  override down(): void {
    this.addSql(`drop trigger cloudlet_number_event on events;`);
    this.addSql(`drop function cloudlet_number_event();`);
  }
}
