# What pg_dump says, with another name and address for each freelancer, and without addresses anywhere else.
BEGIN { FS = OFS = "\t" }
/^COPY public\.freelancers / && !/ \(id, name, email[,)]/ { exit 1 } # other columns: nothing goes
/^COPY / { freelancers = /^COPY public\.freelancers / }
/^\\\.$/ { freelancers = 0 }
{ gsub(/[^ \t]+@[^ \t]+/, "hidden@example.org") }
freelancers && NF > 2 { $2 = "Freelancer " $1; $3 = "freelancer" $1 "@example.org" }
{ print }
