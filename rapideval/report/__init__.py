"""What people read: tables, problems, charts and pages."""
