# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_ordersync_global_optspecs
    string join \n home= json q/quiet v/verbose h/help V/version
end

function __fish_ordersync_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_ordersync_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_ordersync_using_subcommand
    set -l cmd (__fish_ordersync_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c ordersync -n "__fish_ordersync_needs_command" -l home -d 'Keep book, credentials and everything else under DIR; the variable ORDERSYNC_HOME says it too' -r -F
complete -c ordersync -n "__fish_ordersync_needs_command" -l json -d 'Print results as JSON'
complete -c ordersync -n "__fish_ordersync_needs_command" -s q -l quiet -d 'Print nothing but results and errors'
complete -c ordersync -n "__fish_ordersync_needs_command" -s v -l verbose -d 'Say more: a summary line also where nobody watches'
complete -c ordersync -n "__fish_ordersync_needs_command" -s h -l help -d 'Print help'
complete -c ordersync -n "__fish_ordersync_needs_command" -s V -l version -d 'Print version'
complete -c ordersync -n "__fish_ordersync_needs_command" -f -a "connect" -d 'Connect a store, or list, test and remove connected ones'
complete -c ordersync -n "__fish_ordersync_needs_command" -f -a "sync" -d 'Bring new and changed orders in, send dispatches and cancellations out'
complete -c ordersync -n "__fish_ordersync_needs_command" -f -a "dispatch" -d 'Say that an order is on its way: recorded here, told to the channel'
complete -c ordersync -n "__fish_ordersync_needs_command" -f -a "cancel" -d 'Cancel an order here and at its channel'
complete -c ordersync -n "__fish_ordersync_needs_command" -f -a "status" -d 'How every store stands, on one screen'
complete -c ordersync -n "__fish_ordersync_needs_command" -f -a "orders" -d 'List orders'
complete -c ordersync -n "__fish_ordersync_needs_command" -f -a "show" -d 'One order with everything known about it'
complete -c ordersync -n "__fish_ordersync_needs_command" -f -a "changes" -d 'Changes at the channel that wait for your word'
complete -c ordersync -n "__fish_ordersync_needs_command" -f -a "accept" -d 'Take over the channel\'s newer version of an order'
complete -c ordersync -n "__fish_ordersync_needs_command" -f -a "reject" -d 'Keep your version of an order, although the channel has another'
complete -c ordersync -n "__fish_ordersync_needs_command" -f -a "hold" -d 'Hold an order back, here only'
complete -c ordersync -n "__fish_ordersync_needs_command" -f -a "release" -d 'End a hold'
complete -c ordersync -n "__fish_ordersync_needs_command" -f -a "dropship" -d 'Note that a supplier is to ship an order'
complete -c ordersync -n "__fish_ordersync_needs_command" -f -a "refund" -d 'Record a refund that you made by hand'
complete -c ordersync -n "__fish_ordersync_needs_command" -f -a "note" -d 'Write a note of your own on an order'
complete -c ordersync -n "__fish_ordersync_needs_command" -f -a "tag" -d 'Give an order tags of your own'
complete -c ordersync -n "__fish_ordersync_needs_command" -f -a "edit" -d 'Change where an order goes, or the buyer\'s note, in the book'
complete -c ordersync -n "__fish_ordersync_needs_command" -f -a "revert" -d 'Give up what you have edited in an order'
complete -c ordersync -n "__fish_ordersync_needs_command" -f -a "twin" -d 'Say whether orders of two stores are one sale'
complete -c ordersync -n "__fish_ordersync_needs_command" -f -a "outbox" -d 'What is still to be written to channels'
complete -c ordersync -n "__fish_ordersync_needs_command" -f -a "inbox" -d 'What needs you'
complete -c ordersync -n "__fish_ordersync_needs_command" -f -a "retry" -d 'Try a failed dispatch or cancellation again'
complete -c ordersync -n "__fish_ordersync_needs_command" -f -a "runs" -d 'What each sync did'
complete -c ordersync -n "__fish_ordersync_needs_command" -f -a "pull" -d 'Read one order from its channel now'
complete -c ordersync -n "__fish_ordersync_needs_command" -f -a "listen" -d 'Receive webhooks (Instasync): orders are in the book within seconds'
complete -c ordersync -n "__fish_ordersync_needs_command" -f -a "watch" -d 'Poll stores without webhooks as often as their channels\' limits allow'
complete -c ordersync -n "__fish_ordersync_needs_command" -f -a "reconcile" -d 'Compare a channel\'s list of orders with the book, both ways'
complete -c ordersync -n "__fish_ordersync_needs_command" -f -a "why" -d 'Explain why an order is in the book, or is not'
complete -c ordersync -n "__fish_ordersync_needs_command" -f -a "carriers" -d 'The carriers that dispatch knows by name'
complete -c ordersync -n "__fish_ordersync_needs_command" -f -a "schedule" -d 'Sync every half hour: install, remove or show the timer'
complete -c ordersync -n "__fish_ordersync_needs_command" -f -a "export" -d 'Write the book, or a part of it, as CSV or NDJSON'
complete -c ordersync -n "__fish_ordersync_needs_command" -f -a "backup" -d 'Copy the book to a file, consistently, also while it is in use'
complete -c ordersync -n "__fish_ordersync_needs_command" -f -a "purge" -d 'Take the personal data of old, closed orders out of the book'
complete -c ordersync -n "__fish_ordersync_needs_command" -f -a "forget" -d 'Take the personal data of one person out of the book'
complete -c ordersync -n "__fish_ordersync_needs_command" -f -a "doctor" -d 'Check the installation and every store'
complete -c ordersync -n "__fish_ordersync_needs_command" -f -a "config" -d 'Show or change the settings of stores'
complete -c ordersync -n "__fish_ordersync_needs_command" -f -a "completions" -d 'Print the completion script of a shell'
complete -c ordersync -n "__fish_ordersync_needs_command" -f -a "demo" -d 'Play the whole story in a temporary home, against a simulated shop'
complete -c ordersync -n "__fish_ordersync_needs_command" -f -a "simulate" -d 'Serve a simulated shop on this machine to rehearse against'
complete -c ordersync -n "__fish_ordersync_using_subcommand connect" -l name -d 'What to call the store; default is the channel\'s name' -r
complete -c ordersync -n "__fish_ordersync_using_subcommand connect" -l since -d 'Import everything changed since then (90d, 2025-01-01, all); default 30d' -r
complete -c ordersync -n "__fish_ordersync_using_subcommand connect" -l credentials -d 'A TOML or JSON file with the secrets (and, if wanted, the other values); - reads standard input' -r -F
complete -c ordersync -n "__fish_ordersync_using_subcommand connect" -l keystring -d 'Keystring of your app at Etsy (etsy)' -r
complete -c ordersync -n "__fish_ordersync_using_subcommand connect" -l marketplace -d 'Your eBay marketplace (ebay)' -r
complete -c ordersync -n "__fish_ordersync_using_subcommand connect" -l shop -d 'The shop\'s own address at Shopify, NAME.myshopify.com (shopify)' -r
complete -c ordersync -n "__fish_ordersync_using_subcommand connect" -l store-hash -d 'Store hash, or the whole API path (bigcommerce)' -r
complete -c ordersync -n "__fish_ordersync_using_subcommand connect" -l url -d 'Address of the shop (magento, woocommerce)' -r
complete -c ordersync -n "__fish_ordersync_using_subcommand connect" -l endpoint -d 'Another scheme, host and port for every request: a test system, a proxy, a simulated store' -r
complete -c ordersync -n "__fish_ordersync_using_subcommand connect" -l set -d 'Any other value of the channel, as KEY=VALUE (`ordersync config` lists them)' -r
complete -c ordersync -n "__fish_ordersync_using_subcommand connect" -l consent -d 'Where the channel asks for your consent in a browser: how it comes back' -r -f -a "listen\t'Wait for the browser: it lands on this machine'
paste\t'Take the address at which it lands: at a hidden question, or a line on standard input'"
complete -c ordersync -n "__fish_ordersync_using_subcommand connect" -l ca-file -d 'A PEM file with the certificate authority of a shop that has one of its own' -r -F
complete -c ordersync -n "__fish_ordersync_using_subcommand connect" -l test -d 'Test a connection (all, without a name)' -r
complete -c ordersync -n "__fish_ordersync_using_subcommand connect" -l reauth -d 'Give a store new credentials; orders and position stay' -r
complete -c ordersync -n "__fish_ordersync_using_subcommand connect" -l remove -d 'Disconnect a store: its credentials are deleted, its orders stay in the book' -r
complete -c ordersync -n "__fish_ordersync_using_subcommand connect" -l home -d 'Keep book, credentials and everything else under DIR; the variable ORDERSYNC_HOME says it too' -r -F
complete -c ordersync -n "__fish_ordersync_using_subcommand connect" -l sandbox -d 'eBay\'s sandbox (ebay)'
complete -c ordersync -n "__fish_ordersync_using_subcommand connect" -l allow-http -d 'Talk to the shop without encryption'
complete -c ordersync -n "__fish_ordersync_using_subcommand connect" -l list -d 'List the connected stores'
complete -c ordersync -n "__fish_ordersync_using_subcommand connect" -l csv -d 'With --list: print as CSV'
complete -c ordersync -n "__fish_ordersync_using_subcommand connect" -l force -d 'With --remove: also where a dispatch or cancellation has not arrived at the channel'
complete -c ordersync -n "__fish_ordersync_using_subcommand connect" -l json -d 'Print results as JSON'
complete -c ordersync -n "__fish_ordersync_using_subcommand connect" -s q -l quiet -d 'Print nothing but results and errors'
complete -c ordersync -n "__fish_ordersync_using_subcommand connect" -s v -l verbose -d 'Say more: a summary line also where nobody watches'
complete -c ordersync -n "__fish_ordersync_using_subcommand connect" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ordersync -n "__fish_ordersync_using_subcommand connect" -s V -l version -d 'Print version'
complete -c ordersync -n "__fish_ordersync_using_subcommand sync" -l channel -d 'Only this store, or all stores of this channel; may be given several times' -r
complete -c ordersync -n "__fish_ordersync_using_subcommand sync" -l since -d 'Read again what changed since then (30d, 2026-11-01, all); the normal position stays where it is' -r
complete -c ordersync -n "__fish_ordersync_using_subcommand sync" -l until -d 'Read again what changed up to then' -r
complete -c ordersync -n "__fish_ordersync_using_subcommand sync" -l home -d 'Keep book, credentials and everything else under DIR; the variable ORDERSYNC_HOME says it too' -r -F
complete -c ordersync -n "__fish_ordersync_using_subcommand sync" -l full -d 'Read everything again from the first order wanted; changes nothing that is in the book already'
complete -c ordersync -n "__fish_ordersync_using_subcommand sync" -l dry-run -d 'Fetch and count, but keep nothing and send nothing'
complete -c ordersync -n "__fish_ordersync_using_subcommand sync" -l autosync -d 'For the timer: only stores whose interval has passed; silent when another run is at work'
complete -c ordersync -n "__fish_ordersync_using_subcommand sync" -l json -d 'Print results as JSON'
complete -c ordersync -n "__fish_ordersync_using_subcommand sync" -s q -l quiet -d 'Print nothing but results and errors'
complete -c ordersync -n "__fish_ordersync_using_subcommand sync" -s v -l verbose -d 'Say more: a summary line also where nobody watches'
complete -c ordersync -n "__fish_ordersync_using_subcommand sync" -s h -l help -d 'Print help'
complete -c ordersync -n "__fish_ordersync_using_subcommand sync" -s V -l version -d 'Print version'
complete -c ordersync -n "__fish_ordersync_using_subcommand dispatch" -l carrier -d 'Carrier, once for each --tracking (`ordersync carriers` lists the names)' -r
complete -c ordersync -n "__fish_ordersync_using_subcommand dispatch" -l tracking -d 'Tracking number; several for several parcels' -r
complete -c ordersync -n "__fish_ordersync_using_subcommand dispatch" -l item -d 'Ship only this much of a line: SKU=QTY, or the line\'s number in `show` as #2=1; default is all that is left' -r
complete -c ordersync -n "__fish_ordersync_using_subcommand dispatch" -l replaces -d 'The --tracking number takes the place of this one, for the same parcel; the same number with another --carrier corrects its carrier' -r
complete -c ordersync -n "__fish_ordersync_using_subcommand dispatch" -l from -d 'Dispatch many: a CSV file with the columns order, carrier, tracking and, where wanted, sku, quantity, store and by; - reads standard input' -r -F
complete -c ordersync -n "__fish_ordersync_using_subcommand dispatch" -l ignore -d 'With --from: leave this column out; may be given several times' -r
complete -c ordersync -n "__fish_ordersync_using_subcommand dispatch" -l by -d 'Whose numbers a bare order number is: of the channel (the default with --from) or of the book' -r -f -a "channel\t'The channel\'s own'
book\t'The book\'s'"
complete -c ordersync -n "__fish_ordersync_using_subcommand dispatch" -l home -d 'Keep book, credentials and everything else under DIR; the variable ORDERSYNC_HOME says it too' -r -F
complete -c ordersync -n "__fish_ordersync_using_subcommand dispatch" -l other-carrier -d 'The carriers are called so, although one looks like a slip of a name that is known'
complete -c ordersync -n "__fish_ordersync_using_subcommand dispatch" -l notify -d 'Have the channel tell the buyer (the default, where the channel leaves it to us)'
complete -c ordersync -n "__fish_ordersync_using_subcommand dispatch" -l no-notify -d 'Do not have the channel tell the buyer'
complete -c ordersync -n "__fish_ordersync_using_subcommand dispatch" -l dry-run -d 'Print what would be written, write nothing'
complete -c ordersync -n "__fish_ordersync_using_subcommand dispatch" -l later -d 'Only record it; the next sync tells the channel'
complete -c ordersync -n "__fish_ordersync_using_subcommand dispatch" -l unpaid -d 'Ship before it is paid: cash on delivery, payment terms, a transfer that is on its way'
complete -c ordersync -n "__fish_ordersync_using_subcommand dispatch" -l on-hold -d 'Ship although it is on hold'
complete -c ordersync -n "__fish_ordersync_using_subcommand dispatch" -l test-order -d 'Ship a test order'
complete -c ordersync -n "__fish_ordersync_using_subcommand dispatch" -l again -d 'Another box like one that is dispatched already really went out, or more pieces under its number'
complete -c ordersync -n "__fish_ordersync_using_subcommand dispatch" -l as-local -d 'Go on with your version of the order although the channel\'s has changed'
complete -c ordersync -n "__fish_ordersync_using_subcommand dispatch" -l force -d 'With --as-local: also where the order is cancelled at the channel'
complete -c ordersync -n "__fish_ordersync_using_subcommand dispatch" -l no-tracking -d 'With --from: rows without a tracking number go out without one; they are refused otherwise'
complete -c ordersync -n "__fish_ordersync_using_subcommand dispatch" -l trust-numbers -d 'With --from: tracking numbers are right although they end in zeros as if a spreadsheet had rounded them'
complete -c ordersync -n "__fish_ordersync_using_subcommand dispatch" -l json -d 'Print results as JSON'
complete -c ordersync -n "__fish_ordersync_using_subcommand dispatch" -s q -l quiet -d 'Print nothing but results and errors'
complete -c ordersync -n "__fish_ordersync_using_subcommand dispatch" -s v -l verbose -d 'Say more: a summary line also where nobody watches'
complete -c ordersync -n "__fish_ordersync_using_subcommand dispatch" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ordersync -n "__fish_ordersync_using_subcommand dispatch" -s V -l version -d 'Print version'
complete -c ordersync -n "__fish_ordersync_using_subcommand cancel" -l reason -d 'Why, for the channel\'s own record' -r
complete -c ordersync -n "__fish_ordersync_using_subcommand cancel" -l home -d 'Keep book, credentials and everything else under DIR; the variable ORDERSYNC_HOME says it too' -r -F
complete -c ordersync -n "__fish_ordersync_using_subcommand cancel" -l local -d 'Only in the book; the channel is not told'
complete -c ordersync -n "__fish_ordersync_using_subcommand cancel" -l notify -d 'Have the channel tell the buyer, where it leaves that to us'
complete -c ordersync -n "__fish_ordersync_using_subcommand cancel" -l no-restock -d 'Do not put the stock back (the default puts it back, where the channel leaves it to us)'
complete -c ordersync -n "__fish_ordersync_using_subcommand cancel" -l refund -d 'Give the money back the way it was paid, where the channel can'
complete -c ordersync -n "__fish_ordersync_using_subcommand cancel" -l force -d 'Also an order of which something is shipped or given back'
complete -c ordersync -n "__fish_ordersync_using_subcommand cancel" -l dry-run -d 'Say what would happen, do nothing'
complete -c ordersync -n "__fish_ordersync_using_subcommand cancel" -l json -d 'Print results as JSON'
complete -c ordersync -n "__fish_ordersync_using_subcommand cancel" -s q -l quiet -d 'Print nothing but results and errors'
complete -c ordersync -n "__fish_ordersync_using_subcommand cancel" -s v -l verbose -d 'Say more: a summary line also where nobody watches'
complete -c ordersync -n "__fish_ordersync_using_subcommand cancel" -s h -l help -d 'Print help'
complete -c ordersync -n "__fish_ordersync_using_subcommand cancel" -s V -l version -d 'Print version'
complete -c ordersync -n "__fish_ordersync_using_subcommand status" -l max-age -d 'How long ago a store may have been read to be well (45m, 2h, 1d); default is twice its interval' -r
complete -c ordersync -n "__fish_ordersync_using_subcommand status" -l home -d 'Keep book, credentials and everything else under DIR; the variable ORDERSYNC_HOME says it too' -r -F
complete -c ordersync -n "__fish_ordersync_using_subcommand status" -l check -d 'For monitors: exit 0 when every store is well, 4 when credentials are refused or gone, else 3'
complete -c ordersync -n "__fish_ordersync_using_subcommand status" -l json -d 'Print results as JSON'
complete -c ordersync -n "__fish_ordersync_using_subcommand status" -s q -l quiet -d 'Print nothing but results and errors'
complete -c ordersync -n "__fish_ordersync_using_subcommand status" -s v -l verbose -d 'Say more: a summary line also where nobody watches'
complete -c ordersync -n "__fish_ordersync_using_subcommand status" -s h -l help -d 'Print help'
complete -c ordersync -n "__fish_ordersync_using_subcommand status" -s V -l version -d 'Print version'
complete -c ordersync -n "__fish_ordersync_using_subcommand orders" -l status -d 'Only this status, without test orders where it is one to be sent: awaiting-payment, awaiting-fulfillment, on-hold, partially-shipped, shipped, cancelled, ...' -r
complete -c ordersync -n "__fish_ordersync_using_subcommand orders" -l channel -d 'Only this store, or all stores of this channel; may be given several times' -r
complete -c ordersync -n "__fish_ordersync_using_subcommand orders" -l since -d 'Only orders placed since then (7d, 2026-11-01, all)' -r
complete -c ordersync -n "__fish_ordersync_using_subcommand orders" -l search -d 'Only orders with words that begin with those of TEXT, in any order: number, name, e-mail, phone, postcode, note, SKU, title, tracking number' -r
complete -c ordersync -n "__fish_ordersync_using_subcommand orders" -l tag -d 'Only orders with this tag of yours; several times for all of several' -r
complete -c ordersync -n "__fish_ordersync_using_subcommand orders" -l limit -d 'At most so many, 0 for all; default is 50 on the screen, and all in JSON and CSV' -r
complete -c ordersync -n "__fish_ordersync_using_subcommand orders" -l home -d 'Keep book, credentials and everything else under DIR; the variable ORDERSYNC_HOME says it too' -r -F
complete -c ordersync -n "__fish_ordersync_using_subcommand orders" -l to-send -d 'What is to be sent: no test orders, none given back in full, none that needs no parcel, none of which a cancellation waits for your word, a sale in two stores once'
complete -c ordersync -n "__fish_ordersync_using_subcommand orders" -l late -d 'Of that, what should be on its way: the promised time is over or, where the channel promises none, the setting ship_within'
complete -c ordersync -n "__fish_ordersync_using_subcommand orders" -l today -d 'Of that, what is to go out on this day, in the time zone of its shop'
complete -c ordersync -n "__fish_ordersync_using_subcommand orders" -l review -d 'Only orders with changes at the channel that wait for your word'
complete -c ordersync -n "__fish_ordersync_using_subcommand orders" -l held -d 'Only orders that are held back'
complete -c ordersync -n "__fish_ordersync_using_subcommand orders" -l changed -d 'Only orders that changed at the channel since you last saw them (marked *)'
complete -c ordersync -n "__fish_ordersync_using_subcommand orders" -l csv -d 'Print as CSV'
complete -c ordersync -n "__fish_ordersync_using_subcommand orders" -l json -d 'Print results as JSON'
complete -c ordersync -n "__fish_ordersync_using_subcommand orders" -s q -l quiet -d 'Print nothing but results and errors'
complete -c ordersync -n "__fish_ordersync_using_subcommand orders" -s v -l verbose -d 'Say more: a summary line also where nobody watches'
complete -c ordersync -n "__fish_ordersync_using_subcommand orders" -s h -l help -d 'Print help'
complete -c ordersync -n "__fish_ordersync_using_subcommand orders" -s V -l version -d 'Print version'
complete -c ordersync -n "__fish_ordersync_using_subcommand show" -l home -d 'Keep book, credentials and everything else under DIR; the variable ORDERSYNC_HOME says it too' -r -F
complete -c ordersync -n "__fish_ordersync_using_subcommand show" -l raw -d 'Print the channel\'s own document instead; the newest version of it'
complete -c ordersync -n "__fish_ordersync_using_subcommand show" -l history -d 'Also the audit trail: when, who (channel, merchant, policy of the store, program), what, in which run'
complete -c ordersync -n "__fish_ordersync_using_subcommand show" -l json -d 'Print results as JSON'
complete -c ordersync -n "__fish_ordersync_using_subcommand show" -s q -l quiet -d 'Print nothing but results and errors'
complete -c ordersync -n "__fish_ordersync_using_subcommand show" -s v -l verbose -d 'Say more: a summary line also where nobody watches'
complete -c ordersync -n "__fish_ordersync_using_subcommand show" -s h -l help -d 'Print help'
complete -c ordersync -n "__fish_ordersync_using_subcommand show" -s V -l version -d 'Print version'
complete -c ordersync -n "__fish_ordersync_using_subcommand changes" -l channel -d 'Only this store, or all stores of this channel; may be given several times' -r
complete -c ordersync -n "__fish_ordersync_using_subcommand changes" -l field -d 'Only this field; several times for several' -r
complete -c ordersync -n "__fish_ordersync_using_subcommand changes" -l limit -d 'At most so many orders, 0 for all; default is 50 on the screen, and all in JSON and CSV' -r
complete -c ordersync -n "__fish_ordersync_using_subcommand changes" -l home -d 'Keep book, credentials and everything else under DIR; the variable ORDERSYNC_HOME says it too' -r -F
complete -c ordersync -n "__fish_ordersync_using_subcommand changes" -l csv -d 'Print as CSV: a line for each field'
complete -c ordersync -n "__fish_ordersync_using_subcommand changes" -l json -d 'Print results as JSON'
complete -c ordersync -n "__fish_ordersync_using_subcommand changes" -s q -l quiet -d 'Print nothing but results and errors'
complete -c ordersync -n "__fish_ordersync_using_subcommand changes" -s v -l verbose -d 'Say more: a summary line also where nobody watches'
complete -c ordersync -n "__fish_ordersync_using_subcommand changes" -s h -l help -d 'Print help'
complete -c ordersync -n "__fish_ordersync_using_subcommand changes" -s V -l version -d 'Print version'
complete -c ordersync -n "__fish_ordersync_using_subcommand accept" -l field -d 'Only this field of it, as `ordersync show` and `ordersync changes` call it; several times for several' -r
complete -c ordersync -n "__fish_ordersync_using_subcommand accept" -l from -d 'Those of a CSV file with a column order and, where wanted, store, by, field and channels (what the channel\'s version must still say), as `ordersync changes --csv` writes it; - reads standard input' -r -F
complete -c ordersync -n "__fish_ordersync_using_subcommand accept" -l ignore -d 'With --from: leave this column out; may be given several times' -r
complete -c ordersync -n "__fish_ordersync_using_subcommand accept" -l by -d 'Whose numbers a bare order number is: of the channel (the default with --from) or of the book' -r -f -a "channel\t'The channel\'s own'
book\t'The book\'s'"
complete -c ordersync -n "__fish_ordersync_using_subcommand accept" -l home -d 'Keep book, credentials and everything else under DIR; the variable ORDERSYNC_HOME says it too' -r -F
complete -c ordersync -n "__fish_ordersync_using_subcommand accept" -l json -d 'Print results as JSON'
complete -c ordersync -n "__fish_ordersync_using_subcommand accept" -s q -l quiet -d 'Print nothing but results and errors'
complete -c ordersync -n "__fish_ordersync_using_subcommand accept" -s v -l verbose -d 'Say more: a summary line also where nobody watches'
complete -c ordersync -n "__fish_ordersync_using_subcommand accept" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ordersync -n "__fish_ordersync_using_subcommand accept" -s V -l version -d 'Print version'
complete -c ordersync -n "__fish_ordersync_using_subcommand reject" -l field -d 'Only this field of it, as `ordersync show` and `ordersync changes` call it; several times for several' -r
complete -c ordersync -n "__fish_ordersync_using_subcommand reject" -l from -d 'Those of a CSV file with a column order and, where wanted, store, by, field and channels (what the channel\'s version must still say), as `ordersync changes --csv` writes it; - reads standard input' -r -F
complete -c ordersync -n "__fish_ordersync_using_subcommand reject" -l ignore -d 'With --from: leave this column out; may be given several times' -r
complete -c ordersync -n "__fish_ordersync_using_subcommand reject" -l by -d 'Whose numbers a bare order number is: of the channel (the default with --from) or of the book' -r -f -a "channel\t'The channel\'s own'
book\t'The book\'s'"
complete -c ordersync -n "__fish_ordersync_using_subcommand reject" -l home -d 'Keep book, credentials and everything else under DIR; the variable ORDERSYNC_HOME says it too' -r -F
complete -c ordersync -n "__fish_ordersync_using_subcommand reject" -l json -d 'Print results as JSON'
complete -c ordersync -n "__fish_ordersync_using_subcommand reject" -s q -l quiet -d 'Print nothing but results and errors'
complete -c ordersync -n "__fish_ordersync_using_subcommand reject" -s v -l verbose -d 'Say more: a summary line also where nobody watches'
complete -c ordersync -n "__fish_ordersync_using_subcommand reject" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ordersync -n "__fish_ordersync_using_subcommand reject" -s V -l version -d 'Print version'
complete -c ordersync -n "__fish_ordersync_using_subcommand hold" -l until -d 'Release it by itself then (3d, 2026-12-24, 2026-12-24 13:30); without it, or with none: not by itself. A --reason alone leaves the end of a hold as it is' -r
complete -c ordersync -n "__fish_ordersync_using_subcommand hold" -l reason -d 'Why, for yourself' -r
complete -c ordersync -n "__fish_ordersync_using_subcommand hold" -l home -d 'Keep book, credentials and everything else under DIR; the variable ORDERSYNC_HOME says it too' -r -F
complete -c ordersync -n "__fish_ordersync_using_subcommand hold" -l dry-run -d 'Say what would be done, do nothing'
complete -c ordersync -n "__fish_ordersync_using_subcommand hold" -l json -d 'Print results as JSON'
complete -c ordersync -n "__fish_ordersync_using_subcommand hold" -s q -l quiet -d 'Print nothing but results and errors'
complete -c ordersync -n "__fish_ordersync_using_subcommand hold" -s v -l verbose -d 'Say more: a summary line also where nobody watches'
complete -c ordersync -n "__fish_ordersync_using_subcommand hold" -s h -l help -d 'Print help'
complete -c ordersync -n "__fish_ordersync_using_subcommand hold" -s V -l version -d 'Print version'
complete -c ordersync -n "__fish_ordersync_using_subcommand release" -l home -d 'Keep book, credentials and everything else under DIR; the variable ORDERSYNC_HOME says it too' -r -F
complete -c ordersync -n "__fish_ordersync_using_subcommand release" -l dry-run -d 'Say what would be done, do nothing'
complete -c ordersync -n "__fish_ordersync_using_subcommand release" -l json -d 'Print results as JSON'
complete -c ordersync -n "__fish_ordersync_using_subcommand release" -s q -l quiet -d 'Print nothing but results and errors'
complete -c ordersync -n "__fish_ordersync_using_subcommand release" -s v -l verbose -d 'Say more: a summary line also where nobody watches'
complete -c ordersync -n "__fish_ordersync_using_subcommand release" -s h -l help -d 'Print help'
complete -c ordersync -n "__fish_ordersync_using_subcommand release" -s V -l version -d 'Print version'
complete -c ordersync -n "__fish_ordersync_using_subcommand dropship" -l to -d 'Whom you have asked' -r
complete -c ordersync -n "__fish_ordersync_using_subcommand dropship" -l home -d 'Keep book, credentials and everything else under DIR; the variable ORDERSYNC_HOME says it too' -r -F
complete -c ordersync -n "__fish_ordersync_using_subcommand dropship" -l on-hold -d 'Also an order that is on hold; a hold of yours ends by it'
complete -c ordersync -n "__fish_ordersync_using_subcommand dropship" -l as-local -d 'Go on with your version of the order although the channel\'s has changed'
complete -c ordersync -n "__fish_ordersync_using_subcommand dropship" -l force -d 'With --as-local: also where the order is cancelled at the channel, or refunded in full'
complete -c ordersync -n "__fish_ordersync_using_subcommand dropship" -l withdraw -d 'Take it back: you ship it yourself'
complete -c ordersync -n "__fish_ordersync_using_subcommand dropship" -l dry-run -d 'Say what would be done, do nothing'
complete -c ordersync -n "__fish_ordersync_using_subcommand dropship" -l json -d 'Print results as JSON'
complete -c ordersync -n "__fish_ordersync_using_subcommand dropship" -s q -l quiet -d 'Print nothing but results and errors'
complete -c ordersync -n "__fish_ordersync_using_subcommand dropship" -s v -l verbose -d 'Say more: a summary line also where nobody watches'
complete -c ordersync -n "__fish_ordersync_using_subcommand dropship" -s h -l help -d 'Print help'
complete -c ordersync -n "__fish_ordersync_using_subcommand dropship" -s V -l version -d 'Print version'
complete -c ordersync -n "__fish_ordersync_using_subcommand refund" -l amount -d 'How much, in the order\'s currency' -r
complete -c ordersync -n "__fish_ordersync_using_subcommand refund" -l line -d 'Pieces that were given back: SKU=QTY, or the line\'s number in `show` as #2=1; several times for several' -r
complete -c ordersync -n "__fish_ordersync_using_subcommand refund" -l reason -d 'Why, for yourself' -r
complete -c ordersync -n "__fish_ordersync_using_subcommand refund" -l remove -d 'Take the record with this number back: it was none, or the channel shows the same money' -r
complete -c ordersync -n "__fish_ordersync_using_subcommand refund" -l returned -d 'Of the pieces given back, here or at the channel, so many had been sent before and are not taken away from what is left to send; SKU=0: none of them. Records no refund' -r
complete -c ordersync -n "__fish_ordersync_using_subcommand refund" -l home -d 'Keep book, credentials and everything else under DIR; the variable ORDERSYNC_HOME says it too' -r -F
complete -c ordersync -n "__fish_ordersync_using_subcommand refund" -l again -d 'Another one like one that is recorded already'
complete -c ordersync -n "__fish_ordersync_using_subcommand refund" -l dry-run -d 'Say what would be done, do nothing'
complete -c ordersync -n "__fish_ordersync_using_subcommand refund" -l json -d 'Print results as JSON'
complete -c ordersync -n "__fish_ordersync_using_subcommand refund" -s q -l quiet -d 'Print nothing but results and errors'
complete -c ordersync -n "__fish_ordersync_using_subcommand refund" -s v -l verbose -d 'Say more: a summary line also where nobody watches'
complete -c ordersync -n "__fish_ordersync_using_subcommand refund" -s h -l help -d 'Print help'
complete -c ordersync -n "__fish_ordersync_using_subcommand refund" -s V -l version -d 'Print version'
complete -c ordersync -n "__fish_ordersync_using_subcommand note" -l remove -d 'Remove the note with this number; its text is gone then, but for its words in the search index of a book with more than 20,000 orders, which leave it by and by' -r
complete -c ordersync -n "__fish_ordersync_using_subcommand note" -l home -d 'Keep book, credentials and everything else under DIR; the variable ORDERSYNC_HOME says it too' -r -F
complete -c ordersync -n "__fish_ordersync_using_subcommand note" -l dry-run -d 'Say what would be done, do nothing'
complete -c ordersync -n "__fish_ordersync_using_subcommand note" -l json -d 'Print results as JSON'
complete -c ordersync -n "__fish_ordersync_using_subcommand note" -s q -l quiet -d 'Print nothing but results and errors'
complete -c ordersync -n "__fish_ordersync_using_subcommand note" -s v -l verbose -d 'Say more: a summary line also where nobody watches'
complete -c ordersync -n "__fish_ordersync_using_subcommand note" -s h -l help -d 'Print help'
complete -c ordersync -n "__fish_ordersync_using_subcommand note" -s V -l version -d 'Print version'
complete -c ordersync -n "__fish_ordersync_using_subcommand tag" -l home -d 'Keep book, credentials and everything else under DIR; the variable ORDERSYNC_HOME says it too' -r -F
complete -c ordersync -n "__fish_ordersync_using_subcommand tag" -l remove -d 'Take them away'
complete -c ordersync -n "__fish_ordersync_using_subcommand tag" -l dry-run -d 'Say what would be done, do nothing'
complete -c ordersync -n "__fish_ordersync_using_subcommand tag" -l json -d 'Print results as JSON'
complete -c ordersync -n "__fish_ordersync_using_subcommand tag" -s q -l quiet -d 'Print nothing but results and errors'
complete -c ordersync -n "__fish_ordersync_using_subcommand tag" -s v -l verbose -d 'Say more: a summary line also where nobody watches'
complete -c ordersync -n "__fish_ordersync_using_subcommand tag" -s h -l help -d 'Print help'
complete -c ordersync -n "__fish_ordersync_using_subcommand tag" -s V -l version -d 'Print version'
complete -c ordersync -n "__fish_ordersync_using_subcommand edit" -l name -d 'Who it is for' -r
complete -c ordersync -n "__fish_ordersync_using_subcommand edit" -l company -d 'The company' -r
complete -c ordersync -n "__fish_ordersync_using_subcommand edit" -l line1 -d 'Street and house number' -r
complete -c ordersync -n "__fish_ordersync_using_subcommand edit" -l line2 -d 'The second line of the address' -r
complete -c ordersync -n "__fish_ordersync_using_subcommand edit" -l city -d 'The town' -r
complete -c ordersync -n "__fish_ordersync_using_subcommand edit" -l region -d 'State, province or county' -r
complete -c ordersync -n "__fish_ordersync_using_subcommand edit" -l postcode -d 'The postcode' -r
complete -c ordersync -n "__fish_ordersync_using_subcommand edit" -l country -d 'The country\'s code of two letters (ISO 3166): DE, GB, US' -r
complete -c ordersync -n "__fish_ordersync_using_subcommand edit" -l phone -d 'The telephone number for the carrier' -r
complete -c ordersync -n "__fish_ordersync_using_subcommand edit" -l email -d 'The e-mail address for the carrier' -r
complete -c ordersync -n "__fish_ordersync_using_subcommand edit" -l buyer-note -d 'What stands in the place of the buyer\'s note' -r
complete -c ordersync -n "__fish_ordersync_using_subcommand edit" -l address -d 'Which address, where the order goes to several: 1 is the first that `show` prints' -r
complete -c ordersync -n "__fish_ordersync_using_subcommand edit" -l home -d 'Keep book, credentials and everything else under DIR; the variable ORDERSYNC_HOME says it too' -r -F
complete -c ordersync -n "__fish_ordersync_using_subcommand edit" -l dry-run -d 'Say what would change, change nothing'
complete -c ordersync -n "__fish_ordersync_using_subcommand edit" -l json -d 'Print results as JSON'
complete -c ordersync -n "__fish_ordersync_using_subcommand edit" -s q -l quiet -d 'Print nothing but results and errors'
complete -c ordersync -n "__fish_ordersync_using_subcommand edit" -s v -l verbose -d 'Say more: a summary line also where nobody watches'
complete -c ordersync -n "__fish_ordersync_using_subcommand edit" -s h -l help -d 'Print help'
complete -c ordersync -n "__fish_ordersync_using_subcommand edit" -s V -l version -d 'Print version'
complete -c ordersync -n "__fish_ordersync_using_subcommand revert" -l field -d 'Only this field of it: address or notes; several times for several' -r
complete -c ordersync -n "__fish_ordersync_using_subcommand revert" -l home -d 'Keep book, credentials and everything else under DIR; the variable ORDERSYNC_HOME says it too' -r -F
complete -c ordersync -n "__fish_ordersync_using_subcommand revert" -l dry-run -d 'Say what would change, change nothing'
complete -c ordersync -n "__fish_ordersync_using_subcommand revert" -l json -d 'Print results as JSON'
complete -c ordersync -n "__fish_ordersync_using_subcommand revert" -s q -l quiet -d 'Print nothing but results and errors'
complete -c ordersync -n "__fish_ordersync_using_subcommand revert" -s v -l verbose -d 'Say more: a summary line also where nobody watches'
complete -c ordersync -n "__fish_ordersync_using_subcommand revert" -s h -l help -d 'Print help'
complete -c ordersync -n "__fish_ordersync_using_subcommand revert" -s V -l version -d 'Print version'
complete -c ordersync -n "__fish_ordersync_using_subcommand twin; and not __fish_seen_subcommand_from confirm deny" -l home -d 'Keep book, credentials and everything else under DIR; the variable ORDERSYNC_HOME says it too' -r -F
complete -c ordersync -n "__fish_ordersync_using_subcommand twin; and not __fish_seen_subcommand_from confirm deny" -l json -d 'Print results as JSON'
complete -c ordersync -n "__fish_ordersync_using_subcommand twin; and not __fish_seen_subcommand_from confirm deny" -s q -l quiet -d 'Print nothing but results and errors'
complete -c ordersync -n "__fish_ordersync_using_subcommand twin; and not __fish_seen_subcommand_from confirm deny" -s v -l verbose -d 'Say more: a summary line also where nobody watches'
complete -c ordersync -n "__fish_ordersync_using_subcommand twin; and not __fish_seen_subcommand_from confirm deny" -s h -l help -d 'Print help'
complete -c ordersync -n "__fish_ordersync_using_subcommand twin; and not __fish_seen_subcommand_from confirm deny" -s V -l version -d 'Print version'
complete -c ordersync -n "__fish_ordersync_using_subcommand twin; and not __fish_seen_subcommand_from confirm deny" -f -a "confirm" -d 'They are one sale, which is sent once'
complete -c ordersync -n "__fish_ordersync_using_subcommand twin; and not __fish_seen_subcommand_from confirm deny" -f -a "deny" -d 'They are two sales; the pair is never shown again'
complete -c ordersync -n "__fish_ordersync_using_subcommand twin; and __fish_seen_subcommand_from confirm" -l home -d 'Keep book, credentials and everything else under DIR; the variable ORDERSYNC_HOME says it too' -r -F
complete -c ordersync -n "__fish_ordersync_using_subcommand twin; and __fish_seen_subcommand_from confirm" -l json -d 'Print results as JSON'
complete -c ordersync -n "__fish_ordersync_using_subcommand twin; and __fish_seen_subcommand_from confirm" -s q -l quiet -d 'Print nothing but results and errors'
complete -c ordersync -n "__fish_ordersync_using_subcommand twin; and __fish_seen_subcommand_from confirm" -s v -l verbose -d 'Say more: a summary line also where nobody watches'
complete -c ordersync -n "__fish_ordersync_using_subcommand twin; and __fish_seen_subcommand_from confirm" -s h -l help -d 'Print help'
complete -c ordersync -n "__fish_ordersync_using_subcommand twin; and __fish_seen_subcommand_from confirm" -s V -l version -d 'Print version'
complete -c ordersync -n "__fish_ordersync_using_subcommand twin; and __fish_seen_subcommand_from deny" -l home -d 'Keep book, credentials and everything else under DIR; the variable ORDERSYNC_HOME says it too' -r -F
complete -c ordersync -n "__fish_ordersync_using_subcommand twin; and __fish_seen_subcommand_from deny" -l json -d 'Print results as JSON'
complete -c ordersync -n "__fish_ordersync_using_subcommand twin; and __fish_seen_subcommand_from deny" -s q -l quiet -d 'Print nothing but results and errors'
complete -c ordersync -n "__fish_ordersync_using_subcommand twin; and __fish_seen_subcommand_from deny" -s v -l verbose -d 'Say more: a summary line also where nobody watches'
complete -c ordersync -n "__fish_ordersync_using_subcommand twin; and __fish_seen_subcommand_from deny" -s h -l help -d 'Print help'
complete -c ordersync -n "__fish_ordersync_using_subcommand twin; and __fish_seen_subcommand_from deny" -s V -l version -d 'Print version'
complete -c ordersync -n "__fish_ordersync_using_subcommand outbox" -l withdraw -d 'Take back a row that has not gone out, by its number, or STORE:ID for the one row of that order; the order is as it was before. Of a refused dispatch that the channel has a part of, the rest is taken back' -r
complete -c ordersync -n "__fish_ordersync_using_subcommand outbox" -l home -d 'Keep book, credentials and everything else under DIR; the variable ORDERSYNC_HOME says it too' -r -F
complete -c ordersync -n "__fish_ordersync_using_subcommand outbox" -l all -d 'Also what has arrived, was refused or taken back: the last 200 on the screen, and all in JSON and CSV'
complete -c ordersync -n "__fish_ordersync_using_subcommand outbox" -l csv -d 'Print as CSV'
complete -c ordersync -n "__fish_ordersync_using_subcommand outbox" -l json -d 'Print results as JSON'
complete -c ordersync -n "__fish_ordersync_using_subcommand outbox" -s q -l quiet -d 'Print nothing but results and errors'
complete -c ordersync -n "__fish_ordersync_using_subcommand outbox" -s v -l verbose -d 'Say more: a summary line also where nobody watches'
complete -c ordersync -n "__fish_ordersync_using_subcommand outbox" -s h -l help -d 'Print help'
complete -c ordersync -n "__fish_ordersync_using_subcommand outbox" -s V -l version -d 'Print version'
complete -c ordersync -n "__fish_ordersync_using_subcommand inbox" -l done -d 'Mark an entry as dealt with' -r
complete -c ordersync -n "__fish_ordersync_using_subcommand inbox" -l home -d 'Keep book, credentials and everything else under DIR; the variable ORDERSYNC_HOME says it too' -r -F
complete -c ordersync -n "__fish_ordersync_using_subcommand inbox" -l all -d 'Also what is dealt with'
complete -c ordersync -n "__fish_ordersync_using_subcommand inbox" -l csv -d 'Print as CSV'
complete -c ordersync -n "__fish_ordersync_using_subcommand inbox" -l json -d 'Print results as JSON'
complete -c ordersync -n "__fish_ordersync_using_subcommand inbox" -s q -l quiet -d 'Print nothing but results and errors'
complete -c ordersync -n "__fish_ordersync_using_subcommand inbox" -s v -l verbose -d 'Say more: a summary line also where nobody watches'
complete -c ordersync -n "__fish_ordersync_using_subcommand inbox" -s h -l help -d 'Print help'
complete -c ordersync -n "__fish_ordersync_using_subcommand inbox" -s V -l version -d 'Print version'
complete -c ordersync -n "__fish_ordersync_using_subcommand retry" -l home -d 'Keep book, credentials and everything else under DIR; the variable ORDERSYNC_HOME says it too' -r -F
complete -c ordersync -n "__fish_ordersync_using_subcommand retry" -l again -d 'Make again what the channel took and does not show: only after a look at its own pages, as the buyer may be told twice'
complete -c ordersync -n "__fish_ordersync_using_subcommand retry" -l json -d 'Print results as JSON'
complete -c ordersync -n "__fish_ordersync_using_subcommand retry" -s q -l quiet -d 'Print nothing but results and errors'
complete -c ordersync -n "__fish_ordersync_using_subcommand retry" -s v -l verbose -d 'Say more: a summary line also where nobody watches'
complete -c ordersync -n "__fish_ordersync_using_subcommand retry" -s h -l help -d 'Print help'
complete -c ordersync -n "__fish_ordersync_using_subcommand retry" -s V -l version -d 'Print version'
complete -c ordersync -n "__fish_ordersync_using_subcommand runs" -l limit -d 'At most so many runs, 0 for all; default is 20 on the screen, and all in JSON and CSV' -r
complete -c ordersync -n "__fish_ordersync_using_subcommand runs" -l home -d 'Keep book, credentials and everything else under DIR; the variable ORDERSYNC_HOME says it too' -r -F
complete -c ordersync -n "__fish_ordersync_using_subcommand runs" -l csv -d 'Print as CSV'
complete -c ordersync -n "__fish_ordersync_using_subcommand runs" -l json -d 'Print results as JSON'
complete -c ordersync -n "__fish_ordersync_using_subcommand runs" -s q -l quiet -d 'Print nothing but results and errors'
complete -c ordersync -n "__fish_ordersync_using_subcommand runs" -s v -l verbose -d 'Say more: a summary line also where nobody watches'
complete -c ordersync -n "__fish_ordersync_using_subcommand runs" -s h -l help -d 'Print help'
complete -c ordersync -n "__fish_ordersync_using_subcommand runs" -s V -l version -d 'Print version'
complete -c ordersync -n "__fish_ordersync_using_subcommand pull" -l home -d 'Keep book, credentials and everything else under DIR; the variable ORDERSYNC_HOME says it too' -r -F
complete -c ordersync -n "__fish_ordersync_using_subcommand pull" -l json -d 'Print results as JSON'
complete -c ordersync -n "__fish_ordersync_using_subcommand pull" -s q -l quiet -d 'Print nothing but results and errors'
complete -c ordersync -n "__fish_ordersync_using_subcommand pull" -s v -l verbose -d 'Say more: a summary line also where nobody watches'
complete -c ordersync -n "__fish_ordersync_using_subcommand pull" -s h -l help -d 'Print help'
complete -c ordersync -n "__fish_ordersync_using_subcommand pull" -s V -l version -d 'Print version'
complete -c ordersync -n "__fish_ordersync_using_subcommand listen; and not __fish_seen_subcommand_from send-test" -l bind -d 'Where to listen: an address of this machine, and a port' -r
complete -c ordersync -n "__fish_ordersync_using_subcommand listen; and not __fish_seen_subcommand_from send-test" -l public-url -d 'The address under which the internet reaches this one; subscribes the channels to it' -r
complete -c ordersync -n "__fish_ordersync_using_subcommand listen; and not __fish_seen_subcommand_from send-test" -l channel -d 'Only this store, or all stores of this channel; may be given several times' -r
complete -c ordersync -n "__fish_ordersync_using_subcommand listen; and not __fish_seen_subcommand_from send-test" -l home -d 'Keep book, credentials and everything else under DIR; the variable ORDERSYNC_HOME says it too' -r -F
complete -c ordersync -n "__fish_ordersync_using_subcommand listen; and not __fish_seen_subcommand_from send-test" -l off -d 'Take the subscriptions away again, and receive nothing'
complete -c ordersync -n "__fish_ordersync_using_subcommand listen; and not __fish_seen_subcommand_from send-test" -l no-watch -d 'Do not poll the stores that nothing is received for (ordersync watch)'
complete -c ordersync -n "__fish_ordersync_using_subcommand listen; and not __fish_seen_subcommand_from send-test" -l json -d 'Print results as JSON'
complete -c ordersync -n "__fish_ordersync_using_subcommand listen; and not __fish_seen_subcommand_from send-test" -s q -l quiet -d 'Print nothing but results and errors'
complete -c ordersync -n "__fish_ordersync_using_subcommand listen; and not __fish_seen_subcommand_from send-test" -s v -l verbose -d 'Say more: a summary line also where nobody watches'
complete -c ordersync -n "__fish_ordersync_using_subcommand listen; and not __fish_seen_subcommand_from send-test" -s h -l help -d 'Print help'
complete -c ordersync -n "__fish_ordersync_using_subcommand listen; and not __fish_seen_subcommand_from send-test" -s V -l version -d 'Print version'
complete -c ordersync -n "__fish_ordersync_using_subcommand listen; and not __fish_seen_subcommand_from send-test" -f -a "send-test" -d 'Send a signed test to the public address, and say which link of the way fails'
complete -c ordersync -n "__fish_ordersync_using_subcommand listen; and __fish_seen_subcommand_from send-test" -l channel -d 'Only this store, or all stores of this channel; may be given several times' -r
complete -c ordersync -n "__fish_ordersync_using_subcommand listen; and __fish_seen_subcommand_from send-test" -l home -d 'Keep book, credentials and everything else under DIR; the variable ORDERSYNC_HOME says it too' -r -F
complete -c ordersync -n "__fish_ordersync_using_subcommand listen; and __fish_seen_subcommand_from send-test" -l json -d 'Print results as JSON'
complete -c ordersync -n "__fish_ordersync_using_subcommand listen; and __fish_seen_subcommand_from send-test" -s q -l quiet -d 'Print nothing but results and errors'
complete -c ordersync -n "__fish_ordersync_using_subcommand listen; and __fish_seen_subcommand_from send-test" -s v -l verbose -d 'Say more: a summary line also where nobody watches'
complete -c ordersync -n "__fish_ordersync_using_subcommand listen; and __fish_seen_subcommand_from send-test" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ordersync -n "__fish_ordersync_using_subcommand listen; and __fish_seen_subcommand_from send-test" -s V -l version -d 'Print version'
complete -c ordersync -n "__fish_ordersync_using_subcommand watch" -l channel -d 'Only this store, or all stores of this channel; may be given several times' -r
complete -c ordersync -n "__fish_ordersync_using_subcommand watch" -l night -d 'Ask little in these hours, by this machine\'s clock' -r
complete -c ordersync -n "__fish_ordersync_using_subcommand watch" -l home -d 'Keep book, credentials and everything else under DIR; the variable ORDERSYNC_HOME says it too' -r -F
complete -c ordersync -n "__fish_ordersync_using_subcommand watch" -l json -d 'Print results as JSON'
complete -c ordersync -n "__fish_ordersync_using_subcommand watch" -s q -l quiet -d 'Print nothing but results and errors'
complete -c ordersync -n "__fish_ordersync_using_subcommand watch" -s v -l verbose -d 'Say more: a summary line also where nobody watches'
complete -c ordersync -n "__fish_ordersync_using_subcommand watch" -s h -l help -d 'Print help'
complete -c ordersync -n "__fish_ordersync_using_subcommand watch" -s V -l version -d 'Print version'
complete -c ordersync -n "__fish_ordersync_using_subcommand reconcile" -l channel -d 'Only this store, or all stores of this channel; may be given several times' -r
complete -c ordersync -n "__fish_ordersync_using_subcommand reconcile" -l since -d 'Compare what changed since then (7d by default, 2026-11-01, all)' -r
complete -c ordersync -n "__fish_ordersync_using_subcommand reconcile" -l home -d 'Keep book, credentials and everything else under DIR; the variable ORDERSYNC_HOME says it too' -r -F
complete -c ordersync -n "__fish_ordersync_using_subcommand reconcile" -l pull -d 'Bring what is missing or older here into the book'
complete -c ordersync -n "__fish_ordersync_using_subcommand reconcile" -l dry-run -d 'Say what it would cost, and ask the channel no more than that'
complete -c ordersync -n "__fish_ordersync_using_subcommand reconcile" -l nightly -d 'As the timer does it: the newest orders of stores that are set to it, once a day; nothing is printed where all is well'
complete -c ordersync -n "__fish_ordersync_using_subcommand reconcile" -l json -d 'Print results as JSON'
complete -c ordersync -n "__fish_ordersync_using_subcommand reconcile" -s q -l quiet -d 'Print nothing but results and errors'
complete -c ordersync -n "__fish_ordersync_using_subcommand reconcile" -s v -l verbose -d 'Say more: a summary line also where nobody watches'
complete -c ordersync -n "__fish_ordersync_using_subcommand reconcile" -s h -l help -d 'Print help'
complete -c ordersync -n "__fish_ordersync_using_subcommand reconcile" -s V -l version -d 'Print version'
complete -c ordersync -n "__fish_ordersync_using_subcommand why" -l home -d 'Keep book, credentials and everything else under DIR; the variable ORDERSYNC_HOME says it too' -r -F
complete -c ordersync -n "__fish_ordersync_using_subcommand why" -l offline -d 'Go by this machine\'s own files alone, and do not ask the channel'
complete -c ordersync -n "__fish_ordersync_using_subcommand why" -l json -d 'Print results as JSON'
complete -c ordersync -n "__fish_ordersync_using_subcommand why" -s q -l quiet -d 'Print nothing but results and errors'
complete -c ordersync -n "__fish_ordersync_using_subcommand why" -s v -l verbose -d 'Say more: a summary line also where nobody watches'
complete -c ordersync -n "__fish_ordersync_using_subcommand why" -s h -l help -d 'Print help'
complete -c ordersync -n "__fish_ordersync_using_subcommand why" -s V -l version -d 'Print version'
complete -c ordersync -n "__fish_ordersync_using_subcommand carriers" -l home -d 'Keep book, credentials and everything else under DIR; the variable ORDERSYNC_HOME says it too' -r -F
complete -c ordersync -n "__fish_ordersync_using_subcommand carriers" -l csv -d 'Print as CSV'
complete -c ordersync -n "__fish_ordersync_using_subcommand carriers" -l json -d 'Print results as JSON'
complete -c ordersync -n "__fish_ordersync_using_subcommand carriers" -s q -l quiet -d 'Print nothing but results and errors'
complete -c ordersync -n "__fish_ordersync_using_subcommand carriers" -s v -l verbose -d 'Say more: a summary line also where nobody watches'
complete -c ordersync -n "__fish_ordersync_using_subcommand carriers" -s h -l help -d 'Print help'
complete -c ordersync -n "__fish_ordersync_using_subcommand carriers" -s V -l version -d 'Print version'
complete -c ordersync -n "__fish_ordersync_using_subcommand schedule; and not __fish_seen_subcommand_from install remove show" -l home -d 'Keep book, credentials and everything else under DIR; the variable ORDERSYNC_HOME says it too' -r -F
complete -c ordersync -n "__fish_ordersync_using_subcommand schedule; and not __fish_seen_subcommand_from install remove show" -l json -d 'Print results as JSON'
complete -c ordersync -n "__fish_ordersync_using_subcommand schedule; and not __fish_seen_subcommand_from install remove show" -s q -l quiet -d 'Print nothing but results and errors'
complete -c ordersync -n "__fish_ordersync_using_subcommand schedule; and not __fish_seen_subcommand_from install remove show" -s v -l verbose -d 'Say more: a summary line also where nobody watches'
complete -c ordersync -n "__fish_ordersync_using_subcommand schedule; and not __fish_seen_subcommand_from install remove show" -s h -l help -d 'Print help'
complete -c ordersync -n "__fish_ordersync_using_subcommand schedule; and not __fish_seen_subcommand_from install remove show" -s V -l version -d 'Print version'
complete -c ordersync -n "__fish_ordersync_using_subcommand schedule; and not __fish_seen_subcommand_from install remove show" -f -a "install" -d 'Sync every half hour from now on; safe to repeat'
complete -c ordersync -n "__fish_ordersync_using_subcommand schedule; and not __fish_seen_subcommand_from install remove show" -f -a "remove" -d 'Take away what install put in place, and nothing else'
complete -c ordersync -n "__fish_ordersync_using_subcommand schedule; and not __fish_seen_subcommand_from install remove show" -f -a "show" -d 'Print what is installed, or what would be; touch nothing'
complete -c ordersync -n "__fish_ordersync_using_subcommand schedule; and __fish_seen_subcommand_from install" -l with -d 'What runs it; by default what this machine has' -r -f -a "systemd\t'A service and a timer of the systemd user manager'
cron\t'A line in the crontab'
launchd\t'An agent of macOS\'s launchd'"
complete -c ordersync -n "__fish_ordersync_using_subcommand schedule; and __fish_seen_subcommand_from install" -l bind -d 'Where it is to listen, as with ordersync listen' -r
complete -c ordersync -n "__fish_ordersync_using_subcommand schedule; and __fish_seen_subcommand_from install" -l home -d 'Keep book, credentials and everything else under DIR; the variable ORDERSYNC_HOME says it too' -r -F
complete -c ordersync -n "__fish_ordersync_using_subcommand schedule; and __fish_seen_subcommand_from install" -l listen -d 'Keep ordersync listen running, in place of the sync every half hour, which is a schedule of its own'
complete -c ordersync -n "__fish_ordersync_using_subcommand schedule; and __fish_seen_subcommand_from install" -l dry-run -d 'Print what would be installed, touch nothing'
complete -c ordersync -n "__fish_ordersync_using_subcommand schedule; and __fish_seen_subcommand_from install" -l json -d 'Print results as JSON'
complete -c ordersync -n "__fish_ordersync_using_subcommand schedule; and __fish_seen_subcommand_from install" -s q -l quiet -d 'Print nothing but results and errors'
complete -c ordersync -n "__fish_ordersync_using_subcommand schedule; and __fish_seen_subcommand_from install" -s v -l verbose -d 'Say more: a summary line also where nobody watches'
complete -c ordersync -n "__fish_ordersync_using_subcommand schedule; and __fish_seen_subcommand_from install" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ordersync -n "__fish_ordersync_using_subcommand schedule; and __fish_seen_subcommand_from install" -s V -l version -d 'Print version'
complete -c ordersync -n "__fish_ordersync_using_subcommand schedule; and __fish_seen_subcommand_from remove" -l home -d 'Keep book, credentials and everything else under DIR; the variable ORDERSYNC_HOME says it too' -r -F
complete -c ordersync -n "__fish_ordersync_using_subcommand schedule; and __fish_seen_subcommand_from remove" -l listen -d 'Only the receiver of webhooks; the sync every half hour stays'
complete -c ordersync -n "__fish_ordersync_using_subcommand schedule; and __fish_seen_subcommand_from remove" -l dry-run -d 'Print what would be removed, touch nothing'
complete -c ordersync -n "__fish_ordersync_using_subcommand schedule; and __fish_seen_subcommand_from remove" -l json -d 'Print results as JSON'
complete -c ordersync -n "__fish_ordersync_using_subcommand schedule; and __fish_seen_subcommand_from remove" -s q -l quiet -d 'Print nothing but results and errors'
complete -c ordersync -n "__fish_ordersync_using_subcommand schedule; and __fish_seen_subcommand_from remove" -s v -l verbose -d 'Say more: a summary line also where nobody watches'
complete -c ordersync -n "__fish_ordersync_using_subcommand schedule; and __fish_seen_subcommand_from remove" -s h -l help -d 'Print help'
complete -c ordersync -n "__fish_ordersync_using_subcommand schedule; and __fish_seen_subcommand_from remove" -s V -l version -d 'Print version'
complete -c ordersync -n "__fish_ordersync_using_subcommand schedule; and __fish_seen_subcommand_from show" -l home -d 'Keep book, credentials and everything else under DIR; the variable ORDERSYNC_HOME says it too' -r -F
complete -c ordersync -n "__fish_ordersync_using_subcommand schedule; and __fish_seen_subcommand_from show" -l json -d 'Print results as JSON'
complete -c ordersync -n "__fish_ordersync_using_subcommand schedule; and __fish_seen_subcommand_from show" -s q -l quiet -d 'Print nothing but results and errors'
complete -c ordersync -n "__fish_ordersync_using_subcommand schedule; and __fish_seen_subcommand_from show" -s v -l verbose -d 'Say more: a summary line also where nobody watches'
complete -c ordersync -n "__fish_ordersync_using_subcommand schedule; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help'
complete -c ordersync -n "__fish_ordersync_using_subcommand schedule; and __fish_seen_subcommand_from show" -s V -l version -d 'Print version'
complete -c ordersync -n "__fish_ordersync_using_subcommand export" -l what -d 'What the rows are' -r -f -a "orders\t'One row for each order'
lines\t'One row for each line of an order, with the address it goes to'
shipments\t'One row for each parcel, and one for a shipment without a tracking number'
refunds\t'One row for each refund, at the channel or recorded by hand'
charges\t'One row for each shipping fee, tax, other fee and discount of an order'"
complete -c ordersync -n "__fish_ordersync_using_subcommand export" -l format -d 'How they are written; default is csv, or what the name of the file ends with' -r -f -a "csv\t'Comma-separated, with a header; texts that a spreadsheet would take for formulas get an apostrophe'
ndjson\t'One JSON object a line, texts as they are'"
complete -c ordersync -n "__fish_ordersync_using_subcommand export" -l output -d 'The file to write, which comes under its name when it is whole; without it, or with -, the rows are printed' -r -F
complete -c ordersync -n "__fish_ordersync_using_subcommand export" -l status -d 'Only orders of this status; may be given several times' -r
complete -c ordersync -n "__fish_ordersync_using_subcommand export" -l channel -d 'Only this store, or all stores of this channel; may be given several times' -r
complete -c ordersync -n "__fish_ordersync_using_subcommand export" -l since -d 'Only orders placed since then (7d, 2026-11-01, all)' -r
complete -c ordersync -n "__fish_ordersync_using_subcommand export" -l until -d 'Only orders placed before then (2026-12-01)' -r
complete -c ordersync -n "__fish_ordersync_using_subcommand export" -l home -d 'Keep book, credentials and everything else under DIR; the variable ORDERSYNC_HOME says it too' -r -F
complete -c ordersync -n "__fish_ordersync_using_subcommand export" -l replace -d 'Replace the file where there is one'
complete -c ordersync -n "__fish_ordersync_using_subcommand export" -l json -d 'Print results as JSON'
complete -c ordersync -n "__fish_ordersync_using_subcommand export" -s q -l quiet -d 'Print nothing but results and errors'
complete -c ordersync -n "__fish_ordersync_using_subcommand export" -s v -l verbose -d 'Say more: a summary line also where nobody watches'
complete -c ordersync -n "__fish_ordersync_using_subcommand export" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ordersync -n "__fish_ordersync_using_subcommand export" -s V -l version -d 'Print version'
complete -c ordersync -n "__fish_ordersync_using_subcommand backup" -l home -d 'Keep book, credentials and everything else under DIR; the variable ORDERSYNC_HOME says it too' -r -F
complete -c ordersync -n "__fish_ordersync_using_subcommand backup" -l json -d 'Print results as JSON'
complete -c ordersync -n "__fish_ordersync_using_subcommand backup" -s q -l quiet -d 'Print nothing but results and errors'
complete -c ordersync -n "__fish_ordersync_using_subcommand backup" -s v -l verbose -d 'Say more: a summary line also where nobody watches'
complete -c ordersync -n "__fish_ordersync_using_subcommand backup" -s h -l help -d 'Print help'
complete -c ordersync -n "__fish_ordersync_using_subcommand backup" -s V -l version -d 'Print version'
complete -c ordersync -n "__fish_ordersync_using_subcommand purge" -l older-than -d 'Orders to which nothing has happened for so long: 90d, 26w' -r
complete -c ordersync -n "__fish_ordersync_using_subcommand purge" -l channel -d 'Only this store, or all stores of this channel; may be given several times' -r
complete -c ordersync -n "__fish_ordersync_using_subcommand purge" -l home -d 'Keep book, credentials and everything else under DIR; the variable ORDERSYNC_HOME says it too' -r -F
complete -c ordersync -n "__fish_ordersync_using_subcommand purge" -l dry-run -d 'Say how many would be cleared, do nothing'
complete -c ordersync -n "__fish_ordersync_using_subcommand purge" -l json -d 'Print results as JSON'
complete -c ordersync -n "__fish_ordersync_using_subcommand purge" -s q -l quiet -d 'Print nothing but results and errors'
complete -c ordersync -n "__fish_ordersync_using_subcommand purge" -s v -l verbose -d 'Say more: a summary line also where nobody watches'
complete -c ordersync -n "__fish_ordersync_using_subcommand purge" -s h -l help -d 'Print help'
complete -c ordersync -n "__fish_ordersync_using_subcommand purge" -s V -l version -d 'Print version'
complete -c ordersync -n "__fish_ordersync_using_subcommand forget" -l home -d 'Keep book, credentials and everything else under DIR; the variable ORDERSYNC_HOME says it too' -r -F
complete -c ordersync -n "__fish_ordersync_using_subcommand forget" -l force -d 'All that is found is one person\'s, although the orders bear several names or e-mail addresses, or the number is that of another order as well'
complete -c ordersync -n "__fish_ordersync_using_subcommand forget" -l dry-run -d 'Say which orders would be cleared, do nothing'
complete -c ordersync -n "__fish_ordersync_using_subcommand forget" -l json -d 'Print results as JSON'
complete -c ordersync -n "__fish_ordersync_using_subcommand forget" -s q -l quiet -d 'Print nothing but results and errors'
complete -c ordersync -n "__fish_ordersync_using_subcommand forget" -s v -l verbose -d 'Say more: a summary line also where nobody watches'
complete -c ordersync -n "__fish_ordersync_using_subcommand forget" -s h -l help -d 'Print help'
complete -c ordersync -n "__fish_ordersync_using_subcommand forget" -s V -l version -d 'Print version'
complete -c ordersync -n "__fish_ordersync_using_subcommand doctor" -l bundle -d 'Write what a report needs to a file; without secrets and without personal data' -r -F
complete -c ordersync -n "__fish_ordersync_using_subcommand doctor" -l home -d 'Keep book, credentials and everything else under DIR; the variable ORDERSYNC_HOME says it too' -r -F
complete -c ordersync -n "__fish_ordersync_using_subcommand doctor" -l offline -d 'Do not talk to any channel'
complete -c ordersync -n "__fish_ordersync_using_subcommand doctor" -l mend -d 'Make orders whose sums do not hold anew from the channel\'s documents that the book has'
complete -c ordersync -n "__fish_ordersync_using_subcommand doctor" -l json -d 'Print results as JSON'
complete -c ordersync -n "__fish_ordersync_using_subcommand doctor" -s q -l quiet -d 'Print nothing but results and errors'
complete -c ordersync -n "__fish_ordersync_using_subcommand doctor" -s v -l verbose -d 'Say more: a summary line also where nobody watches'
complete -c ordersync -n "__fish_ordersync_using_subcommand doctor" -s h -l help -d 'Print help'
complete -c ordersync -n "__fish_ordersync_using_subcommand doctor" -s V -l version -d 'Print version'
complete -c ordersync -n "__fish_ordersync_using_subcommand config; and not __fish_seen_subcommand_from get set unset" -l home -d 'Keep book, credentials and everything else under DIR; the variable ORDERSYNC_HOME says it too' -r -F
complete -c ordersync -n "__fish_ordersync_using_subcommand config; and not __fish_seen_subcommand_from get set unset" -l json -d 'Print results as JSON'
complete -c ordersync -n "__fish_ordersync_using_subcommand config; and not __fish_seen_subcommand_from get set unset" -s q -l quiet -d 'Print nothing but results and errors'
complete -c ordersync -n "__fish_ordersync_using_subcommand config; and not __fish_seen_subcommand_from get set unset" -s v -l verbose -d 'Say more: a summary line also where nobody watches'
complete -c ordersync -n "__fish_ordersync_using_subcommand config; and not __fish_seen_subcommand_from get set unset" -s h -l help -d 'Print help'
complete -c ordersync -n "__fish_ordersync_using_subcommand config; and not __fish_seen_subcommand_from get set unset" -s V -l version -d 'Print version'
complete -c ordersync -n "__fish_ordersync_using_subcommand config; and not __fish_seen_subcommand_from get set unset" -f -a "get" -d 'Print one setting'
complete -c ordersync -n "__fish_ordersync_using_subcommand config; and not __fish_seen_subcommand_from get set unset" -f -a "set" -d 'Change one setting'
complete -c ordersync -n "__fish_ordersync_using_subcommand config; and not __fish_seen_subcommand_from get set unset" -f -a "unset" -d 'Go back to the default'
complete -c ordersync -n "__fish_ordersync_using_subcommand config; and __fish_seen_subcommand_from get" -l home -d 'Keep book, credentials and everything else under DIR; the variable ORDERSYNC_HOME says it too' -r -F
complete -c ordersync -n "__fish_ordersync_using_subcommand config; and __fish_seen_subcommand_from get" -l json -d 'Print results as JSON'
complete -c ordersync -n "__fish_ordersync_using_subcommand config; and __fish_seen_subcommand_from get" -s q -l quiet -d 'Print nothing but results and errors'
complete -c ordersync -n "__fish_ordersync_using_subcommand config; and __fish_seen_subcommand_from get" -s v -l verbose -d 'Say more: a summary line also where nobody watches'
complete -c ordersync -n "__fish_ordersync_using_subcommand config; and __fish_seen_subcommand_from get" -s h -l help -d 'Print help'
complete -c ordersync -n "__fish_ordersync_using_subcommand config; and __fish_seen_subcommand_from get" -s V -l version -d 'Print version'
complete -c ordersync -n "__fish_ordersync_using_subcommand config; and __fish_seen_subcommand_from set" -l home -d 'Keep book, credentials and everything else under DIR; the variable ORDERSYNC_HOME says it too' -r -F
complete -c ordersync -n "__fish_ordersync_using_subcommand config; and __fish_seen_subcommand_from set" -l json -d 'Print results as JSON'
complete -c ordersync -n "__fish_ordersync_using_subcommand config; and __fish_seen_subcommand_from set" -s q -l quiet -d 'Print nothing but results and errors'
complete -c ordersync -n "__fish_ordersync_using_subcommand config; and __fish_seen_subcommand_from set" -s v -l verbose -d 'Say more: a summary line also where nobody watches'
complete -c ordersync -n "__fish_ordersync_using_subcommand config; and __fish_seen_subcommand_from set" -s h -l help -d 'Print help'
complete -c ordersync -n "__fish_ordersync_using_subcommand config; and __fish_seen_subcommand_from set" -s V -l version -d 'Print version'
complete -c ordersync -n "__fish_ordersync_using_subcommand config; and __fish_seen_subcommand_from unset" -l home -d 'Keep book, credentials and everything else under DIR; the variable ORDERSYNC_HOME says it too' -r -F
complete -c ordersync -n "__fish_ordersync_using_subcommand config; and __fish_seen_subcommand_from unset" -l json -d 'Print results as JSON'
complete -c ordersync -n "__fish_ordersync_using_subcommand config; and __fish_seen_subcommand_from unset" -s q -l quiet -d 'Print nothing but results and errors'
complete -c ordersync -n "__fish_ordersync_using_subcommand config; and __fish_seen_subcommand_from unset" -s v -l verbose -d 'Say more: a summary line also where nobody watches'
complete -c ordersync -n "__fish_ordersync_using_subcommand config; and __fish_seen_subcommand_from unset" -s h -l help -d 'Print help'
complete -c ordersync -n "__fish_ordersync_using_subcommand config; and __fish_seen_subcommand_from unset" -s V -l version -d 'Print version'
complete -c ordersync -n "__fish_ordersync_using_subcommand completions" -l home -d 'Keep book, credentials and everything else under DIR; the variable ORDERSYNC_HOME says it too' -r -F
complete -c ordersync -n "__fish_ordersync_using_subcommand completions" -l json -d 'Print results as JSON'
complete -c ordersync -n "__fish_ordersync_using_subcommand completions" -s q -l quiet -d 'Print nothing but results and errors'
complete -c ordersync -n "__fish_ordersync_using_subcommand completions" -s v -l verbose -d 'Say more: a summary line also where nobody watches'
complete -c ordersync -n "__fish_ordersync_using_subcommand completions" -s h -l help -d 'Print help'
complete -c ordersync -n "__fish_ordersync_using_subcommand completions" -s V -l version -d 'Print version'
complete -c ordersync -n "__fish_ordersync_using_subcommand demo" -l home -d 'Keep book, credentials and everything else under DIR; the variable ORDERSYNC_HOME says it too' -r -F
complete -c ordersync -n "__fish_ordersync_using_subcommand demo" -l json -d 'Print results as JSON'
complete -c ordersync -n "__fish_ordersync_using_subcommand demo" -s q -l quiet -d 'Print nothing but results and errors'
complete -c ordersync -n "__fish_ordersync_using_subcommand demo" -s v -l verbose -d 'Say more: a summary line also where nobody watches'
complete -c ordersync -n "__fish_ordersync_using_subcommand demo" -s h -l help -d 'Print help'
complete -c ordersync -n "__fish_ordersync_using_subcommand demo" -s V -l version -d 'Print version'
complete -c ordersync -n "__fish_ordersync_using_subcommand simulate" -l port -d 'The port to serve on; 0 takes a free one' -r
complete -c ordersync -n "__fish_ordersync_using_subcommand simulate" -l orders -d 'So many orders more than the 40 that are always there' -r
complete -c ordersync -n "__fish_ordersync_using_subcommand simulate" -l home -d 'Keep book, credentials and everything else under DIR; the variable ORDERSYNC_HOME says it too' -r -F
complete -c ordersync -n "__fish_ordersync_using_subcommand simulate" -l json -d 'Print results as JSON'
complete -c ordersync -n "__fish_ordersync_using_subcommand simulate" -s q -l quiet -d 'Print nothing but results and errors'
complete -c ordersync -n "__fish_ordersync_using_subcommand simulate" -s v -l verbose -d 'Say more: a summary line also where nobody watches'
complete -c ordersync -n "__fish_ordersync_using_subcommand simulate" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ordersync -n "__fish_ordersync_using_subcommand simulate" -s V -l version -d 'Print version'
