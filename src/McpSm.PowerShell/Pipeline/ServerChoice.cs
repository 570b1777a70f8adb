using System.Collections.ObjectModel;
using System.Management.Automation.Host;
using McpSm.Commands.Output;
using McpSm.Core.Errors;
using McpSm.Core.Servers;

namespace McpSm.PowerShell.Pipeline;

/// <summary>Selects a server if the user gave no name: the only server, or the one that the user chooses.</summary>
internal sealed class ServerChoice(McpCmdlet cmdlet, ConsoleAuthInteraction interaction)
{
    // One key for each server. The host also accepts the whole name.
    private const string Keys = "123456789abcdefghijklmnopqrstuvwxyz";

    /// <summary>Returns the only server, or asks which one.</summary>
    /// <exception cref="McpAuthException">ServerNotFound: there are no servers. InteractionRequired: there are several, and the user cannot answer.</exception>
    public McpServer Ask(IReadOnlyList<McpServer> all)
    {
        if (all.Count <= 1)
        {
            return all.Count == 1 ? all[0] : throw new McpAuthException(ErrorReason.ServerNotFound, "There are no servers yet.",
                "mcpsm add <name> --type http --url <url>");
        }
        if (!interaction.CanAnswer || !new HostInput(cmdlet).IsTerminal || all.Count > Keys.Length)
        {
            throw NameRequired(all);
        }
        try
        {
            return all[cmdlet.Host.UI.PromptForChoice("", "Which server?",
                new Collection<ChoiceDescription>([.. all.Select((s, i) => new ChoiceDescription($"&{Keys[i]} {s.Name}", UntrustedText.Sanitize(s.Url)))]),
                -1)];
        }
        catch (HostException)
        {
            // The host refuses to prompt, as in a runspace of a program, of a thread job or of -Parallel.
            throw NameRequired(all);
        }
    }

    private static McpAuthException NameRequired(IReadOnlyList<McpServer> all) => new(ErrorReason.InteractionRequired,
        $"There are several servers: {ServerLookup.Names(all)}.", "Choose one with -Name.");
}
