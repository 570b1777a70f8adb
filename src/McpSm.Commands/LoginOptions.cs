using System.CommandLine;
using McpSm.Core;
using McpSm.Core.Errors;
using McpSm.Core.Servers;

namespace McpSm.Commands;

/// <summary>The options of a sign-in, and the sign-in itself.</summary>
internal sealed class LoginOptions
{
    private readonly Option<bool> _noBrowser = new("--no-browser") { Description = "Print the URL instead of opening a browser" };
    private readonly Option<bool> _device = new("--device") { Description = "Sign in with a code on another device" };
    private readonly Option<int?> _port = new("--callback-port") { Description = "The local port the browser comes back to; 0 is any", HelpName = "port" };
    private readonly Option<int?> _timeout = new("--timeout") { Description = "Seconds to wait for the sign-in (300)", HelpName = "seconds" };
    private readonly Option<string?> _vault = new("--vault") { Description = "The vault to keep the credential in", HelpName = "name" };
    private readonly Option<bool> _nonInteractive = new("--non-interactive") { Description = "Fail at once where a person would be asked" };

    public void AddTo(Command command)
    {
        _port.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && !(int.TryParse(token.Value, out var port) && port is >= 0 and <= 65535))
            {
                result.AddError("port");
            }
        });
        _timeout.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && !(int.TryParse(token.Value, out var seconds) && seconds is > 0 and <= 86400))
            {
                result.AddError("seconds");
            }
        });
        foreach (var option in new Option[] { _noBrowser, _device, _port, _timeout, _vault, _nonInteractive })
        {
            command.Add(option);
        }
    }

    public async Task<int> RunAsync(string serverOrUrl, ParseResult parsed, CommandContext context, CancellationToken cancellationToken)
    {
        context.Interaction.NonInteractive = parsed.GetValue(_nonInteractive);
        var server = serverOrUrl.Contains("://") ? await FindOrAddAsync(serverOrUrl, context, cancellationToken).ConfigureAwait(false)
            : context.Catalog.Get(serverOrUrl);
        var result = await context.Authenticator.ConnectAsync(server, new ConnectOptions
        {
            NoBrowser = parsed.GetValue(_noBrowser),
            UseDeviceCode = parsed.GetValue(_device),
            CallbackPort = parsed.GetValue(_port),
            Timeout = parsed.GetValue(_timeout) is { } seconds ? TimeSpan.FromSeconds(seconds) : ConnectOptions.DefaultTimeout,
            Vault = parsed.GetValue(_vault),
        }, cancellationToken).ConfigureAwait(false);
        if (result.NeedsNone)
        {
            context.Console.Out.WriteLine($"○ '{server.Name}' needs no authentication.");
            return ExitCode.Done;
        }
        var said = Words.Of(result.Status, context.Home.Time.GetUtcNow());
        context.Succeed($"Signed in to '{server.Name}'{said[(said.IndexOf('(') is var at and > 0 ? at - 1 : said.Length)..]}.");
        if (result.Unproven is { } doubt)
        {
            context.Warn($"the token is kept, but could not be tried. {doubt}");
        }
        return ExitCode.Done;
    }

    /// <summary>The server of that URL; where there is none it is added, named after its host.</summary>
    private static async Task<McpServer> FindOrAddAsync(string url, CommandContext context, CancellationToken cancellationToken)
    {
        var uri = ServerUrl.Parse(url);
        var all = context.Catalog.List();
        if (all.FirstOrDefault(s => Uri.TryCreate(s.Url, UriKind.Absolute, out var known) && known == uri) is { } there)
        {
            return there;
        }
        var host = uri.Authority.Replace('.', '-').Replace(':', '-').Trim('[', ']');
        var name = host;
        for (var i = 1; all.Any(s => s.Name == name); i++)
        {
            name = $"{host}-{i}";
        }
        var server = await context.Catalog.AddAsync(new McpServer { Id = "", Name = name, Url = url }, cancellationToken).ConfigureAwait(false);
        context.Console.Error.WriteLine($"Server '{server.Name}' added.");
        return server;
    }
}
